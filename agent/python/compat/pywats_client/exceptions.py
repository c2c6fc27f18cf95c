"""The errors that a converter may raise or catch."""


class ClientError(Exception):
    """Any error of the client. `details` are kept for whoever shows the error."""

    def __init__(self, message="", details=None, **more):
        super().__init__(message)
        self.message = message
        self.details = dict(details or {}, **more)

    def __str__(self):
        return str(self.message)


class ConverterError(ClientError):
    """A file cannot be converted."""


class FileFormatError(ConverterError):
    """The content is not what the converter expects."""


class FileAccessError(ConverterError):
    """A file cannot be read or written."""


class ConverterConfigError(ConverterError):
    """The converter's arguments are wrong."""


class ConfigurationError(ClientError):
    """A setting is wrong."""


class ConnectionError(ClientError):  # the name is part of the contract
    """The server cannot be reached."""


class AuthenticationError(ClientError):
    """The server does not take the credential."""


class ServiceError(ClientError):
    """The service cannot do what it was asked."""


class QueueError(ClientError):
    """A report cannot be queued."""


class SandboxError(ConverterError):
    """The converter did what it may not do."""


class SandboxTimeoutError(SandboxError):
    """The converter took too long."""


class SandboxSecurityError(SandboxError):
    """The converter was refused before it ran."""
