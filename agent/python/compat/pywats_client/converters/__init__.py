"""What converter files import most."""

from ..exceptions import ConverterConfigError, ConverterError, FileAccessError, FileFormatError
from .base import ConverterBase
from .context import ConverterContext
from .file_converter import FileConverter
from .folder_converter import FolderConverter
from .models import (
    ArgumentDefinition,
    ArgumentType,
    ConversionRecord,
    ConversionStatus,
    ConverterResult,
    ConverterSource,
    ConverterType,
    FailureRecord,
    FileInfo,
    PostProcessAction,
    SourceType,
    ValidationResult,
)
from .sandbox import (
    ConverterSandbox,
    ConverterValidator,
    ResourceLimits,
    SandboxCapability,
    SandboxConfig,
    SandboxError,
    SandboxSecurityError,
    SandboxTimeoutError,
)
from .scheduled_converter import ScheduledConverter
from .standard import (
    SeicaXMLConverter,
    TeradyneICTConverter,
    TeradyneSpectrumICTConverter,
    WATSStandardJsonConverter,
    WATSStandardTextConverter,
    WATSStandardXMLConverter,
)

LegacyConverterResult = ConverterResult
