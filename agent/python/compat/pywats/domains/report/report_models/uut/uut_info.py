"""What a test report has beyond the common header."""

from ..model import Field, Model, number, text, whole


class UUTInfo(Model):
    """Operator, time, fixture, batch, error."""

    FIELDS = (
        Field("operator", "user", "", text),
        Field("comment", check=text),
        Field("exec_time", "execTime", check=number),
        Field("exec_time_format", "execTimeFormat", check=text),
        Field("fixture_id", "fixtureId", check=text),
        Field("socket_index", "testSocketIndex", check=whole),
        Field("error_code", "errorCode", check=whole),
        Field("error_message", "errorMessage", check=text),
        Field("batch_number", "batchSN", check=text),
        Field("batch_fail_count", "batchFailCount", check=whole),
        Field("batch_loop_index", "batchLoopIndex", check=whole),
        Field("step_id_caused_uut_failure", "stepIdCausedUUTFailure", check=whole),
    )
