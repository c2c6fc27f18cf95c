"""Which members an object of a report has, under which names scripts write them, and how each is made fit."""

from .values import Wrong, data, flag, free, identity, kind, moment, notes, number, points, short, shown, status, text, whole

#: A member that nothing takes, known and dropped without a word.
DROPPED = (None, None)


def plain(name):
    return name.replace("_", "").replace(" ", "").replace("-", "").lower()


class Members:
    """The members of one kind of object."""

    def __init__(self, what, *entries, dropped=()):
        self.what = what
        self.by_name = {}
        for names, make in entries:
            first, *others = names.split()
            for name in (first, *others):
                self.by_name[name] = self.by_name[plain(name)] = (first, make)
        for name in dropped:
            self.by_name[name] = self.by_name[plain(name)] = DROPPED

    def read(self, given):
        """The members with the format's names. Those without a value are left out."""
        made = {}
        by_name = self.by_name
        for name, value in given.items():
            if value is None:
                continue
            entry = by_name.get(name)
            if entry is None:
                entry = by_name.get(plain(name)) if isinstance(name, str) else None
                if entry is None:
                    notes.add(f"{shown(name)} is no member of {self.what} and was left out")
                    continue
            first, make = entry
            if first is None:
                continue
            try:
                value = make(value)
            except Wrong as wrong:
                raise wrong.below(first)
            if first in made and made[first] != value:
                raise Wrong(f"is given twice, under two names: {shown(made[first])} and {shown(value)}", first)
            made[first] = value
        return made


def objects(members, finish=None, unit="item"):
    """A list of objects, or the one alone."""

    def make(value):
        if isinstance(value, dict) or hasattr(value, "model_dump"):
            value = [value]
        if not isinstance(value, (list, tuple)):
            raise Wrong(f"must be a list, and is {kind(value)}")
        made = []
        for index, item in enumerate(value, 1):
            try:
                one = members.read(mapping(item))
                made.append(finish(one, index) if finish is not None else one)
            except Wrong as wrong:
                raise wrong.below(f"{unit} {index}")
        return made

    return make


def one(members):
    return lambda value: members.read(mapping(value))


def mapping(value):
    """A dictionary, or what a model writes as one."""
    if isinstance(value, dict):
        return value
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json", by_alias=True, exclude_none=True)
    raise Wrong(f"must be a dictionary, and is {kind(value)} ({shown(value)})")


def _formats(*names):
    return [(f"{name}Format", text) for name in names]


def _operator(value):
    operator = text(value).strip().upper()
    return {"EQT": "EQ", "CASESENSITIVE": "CASESENSIT", "NONE": "LOG", "": "LOG"}.get(operator, operator)


def _letter(value):
    return {"S": "S", "C": "C"}.get(text(value).strip()[:1].upper(), "M")


_CONVERSE = {"GT": "GT", "GE": "GE", "LT": "LT", "LE": "LE"}


def _limits(made):
    """Exactly the limits that the operator takes: a single one stands in lowLimit."""
    operator = made.setdefault("compOp", None)
    low, high = made.get("lowLimit"), made.get("highLimit")
    if operator is None:
        operator = "GELE" if low is not None and high is not None else "GE" if low is not None else "LOG"
        operator = "LE" if operator == "LOG" and high is not None else operator
    if len(operator) == 4 and operator[:2] in _CONVERSE and (low is None) != (high is None):
        operator = operator[:2] if high is None else operator[2:]
    elif len(operator) == 4 and operator[:2] in _CONVERSE and low is None and high is None:
        operator = "LOG"
    if len(operator) == 2 and high is not None and (low is None or operator in ("LT", "LE")):
        if low is not None:
            notes.add(f"{operator} takes one limit, and two were given: the high one was taken")
        made["lowLimit"] = made.pop("highLimit")
    elif len(operator) == 2 and low is None:
        operator = "LOG"
    elif len(operator) == 2 and high is not None:
        notes.add(f"{operator} takes one limit, and two were given: the low one was taken")
        del made["highLimit"]
    made["compOp"] = operator
    return made


def _numeric(made, _index):
    if "value" not in made:
        notes.add("a measurement without a value is reported as NaN")
        made["value"] = "NaN"
    made.setdefault("status", "P")
    # A plain case is plain: both limits and an operator for two.
    if made.get("compOp") != "LOG" or "lowLimit" in made or "highLimit" in made:
        _limits(made)
    return made


def _string(made, _index):
    made.setdefault("status", "P")
    if "compOp" not in made:
        made["compOp"] = "LOG" if "limit" not in made else "EQ"
    return made


def _boolean(made, _index):
    value = made.pop("_value", None)
    made.setdefault("status", "P" if value is None or value else "F")
    return made


_NUMERIC = Members(
    "a numeric measurement",
    ("name", short(100)),
    ("status", status),
    ("value numericValue", number),
    ("unit units", short(20)),
    ("compOp", _operator),
    ("lowLimit low", number),
    ("highLimit high", number),
    *_formats("value", "lowLimit", "highLimit"),
)
_STRING = Members(
    "a text measurement",
    ("name", short(100)),
    ("status", status),
    ("value stringValue", short(100)),
    ("compOp", _operator),
    ("limit stringLimit", short(100)),
    dropped=("unit",),
)
_BOOLEAN = Members(
    "a pass/fail measurement",
    ("name", short(100)),
    ("status", status),
    ("_value value", flag),
)

numeric_measurements = objects(_NUMERIC, _numeric, "measurement")
string_measurements = objects(_STRING, _string, "measurement")
boolean_measurements = objects(_BOOLEAN, _boolean, "measurement")

LOOP = Members(
    "a loop",
    ("idx i", whole),
    ("num n", whole),
    ("endingIndex", whole),
    ("passed", whole),
    ("failed", whole),
)
SEQUENCE = Members(
    "a sequence call",
    ("path filePath", short(500)),
    ("name fileName", short(200)),
    ("version", short(30)),
)


def _series(made, _index):
    made.setdefault("dataType", "XYG")
    return made


_SERIES = Members(
    "a curve",
    ("dataType", short(10)),
    ("name", short(100)),
    ("xdata x_data", points),
    ("ydata y_data", points),
)
_CHART = Members(
    "a chart",
    ("chartType", short(30)),
    ("label", short(100)),
    ("xLabel", short(50)),
    ("xUnit", short(20)),
    ("yLabel", short(50)),
    ("yUnit", short(20)),
    ("series", objects(_SERIES, _series, "curve")),
)
_ATTACHMENT = Members(
    "an attachment",
    ("name fileName", short(256)),
    ("contentType mimeType", short(100)),
    ("data content", data),
    dropped=("description", "id", "size"),
)


def chart(value):
    made = _CHART.read(mapping(value))
    made.setdefault("chartType", "Line")
    return made


def attachment(value):
    made = _ATTACHMENT.read(mapping(value))
    made.setdefault("name", "attachment")
    made.setdefault("contentType", "application/octet-stream")
    return made


def _additional(made, index):
    made.setdefault("name", f"Data {index}")
    made.setdefault("props", [])
    return made


additional = objects(Members("additional data", ("name", short(200)), ("props", free)), _additional)


def _file(made, index):
    made.setdefault("name", f"file {index}")
    made.setdefault("contentType", "application/octet-stream")
    return made


files = objects(
    Members(
        "a file",
        ("name fileName", short(256)),
        ("contentType mimeType", short(100)),
        ("data content", data),
        ("id", identity),
        dropped=("description", "size", "failureIdx"),
    ),
    _file,
    "file",
)


def _int16(value):
    return value if isinstance(value, int) and -32768 <= value <= 32767 else None


def _misc(made, index):
    made.setdefault("description", f"Info {index}")
    value = made.pop("_numeric", None)
    if value is not None:
        if _int16(value) is not None:
            made["numeric"] = value
        else:
            made.setdefault("text", str(value))
    if "numeric" not in made:
        made.setdefault("text", "")
    return made


_MISC = objects(
    Members(
        "a misc info",
        ("description name key", short(100)),
        ("text value stringValue", short(100)),
        ("_numeric numeric", number),
        ("typedef typeDef", short(30)),
        ("id", identity),
        ("numericFormat", text),
    ),
    _misc,
    "misc info",
)


def misc_infos(value):
    if isinstance(value, dict) and not {"description", "text", "name", "value"} & set(value):
        value = [{"description": name, "text": item} for name, item in value.items() if item is not None]
    return _MISC(value)


def _failure(made, _index):
    return made


_FAILURES = objects(
    Members(
        "a failure",
        ("category", text),
        ("code", text),
        ("comment", text),
        ("comRef", short(50)),
        ("funcBlock", short(100)),
        ("refStepId", whole),
        ("refStepName", text),
        ("artNumber", short(100)),
        ("artRev", short(100)),
        ("artVendor", short(500)),
        ("artDescription", short(500)),
        ("attachments", files),
    ),
    _failure,
    "failure",
)


def _unit(made, _index):
    made.setdefault("partType", "Unit")
    return made


sub_units = objects(
    Members(
        "a sub-unit",
        ("partType description", short(50)),
        ("pn partNumber", short(100)),
        ("sn serialNumber", short(100)),
        ("rev revision partRevision", short(100)),
        ("idx index", whole),
        ("parentIdx", whole),
        ("position", whole),
        ("replacedIdx", whole),
        ("failures", _FAILURES),
    ),
    _unit,
    "unit",
)


def _asset(made, _index):
    made.setdefault("usageCount", 1)
    return made


assets = objects(
    Members(
        "an asset",
        ("assetSN sn serialNumber", short(100)),
        ("usageCount count", whole),
        ("usageCountFormat", text),
        dropped=("assetType", "partNumber", "calibrationDate", "calibrationDue", "rev", "name"),
    ),
    _asset,
    "asset",
)
CALL_EXE = Members("a program call", ("exitCode", number), ("exitCodeFormat", text), dropped=("info",))
POPUP = Members("a popup", ("response", short(200)), ("button", whole), ("buttonFormat", text), dropped=("info",))

UUT = Members(
    "uut",
    ("user operator userLoginName", short(100)),
    ("comment", short(5000)),
    ("execTime executionTime", number),
    ("testSocketIndex socketIndex socketIdx", whole),
    ("batchSN batchNumber batchSerialNumber", short(100)),
    ("fixtureId", short(100)),
    ("errorCode", whole),
    ("errorMessage", short(500)),
    ("batchFailCount", whole),
    ("batchLoopIndex", whole),
    ("stepIdCausedUUTFailure", whole),
    *_formats("execTime", "testSocketIndex", "errorCode", "batchFailCount", "batchLoopIndex"),
    dropped=("referencedByUURs", "refUURs"),
)
UUR = Members(
    "uur",
    ("user operator userLoginName", short(100)),
    ("comment", short(5000)),
    ("processCode", whole),
    ("_test testOperationCode", whole),
    ("processName", text),
    ("processCodeFormat", text),
    ("refUUT uutGuid", identity),
    ("confirmDate", moment),
    ("finalizeDate", moment),
    ("execTime executionTime", number),
    ("parent", identity),
    dropped=("active", "testOperationName", "testOperationGuid", "children"),
)


def _type(value):
    letter = text(value).strip().upper()
    return {"TEST": "T", "UUT": "T", "REPAIR": "R", "UUR": "R"}.get(letter, letter)


def report_members(root):
    """Those of the report itself; `root` reads the tree of steps."""
    return Members(
        "a report",
        ("id reportId uuid", identity),
        ("type", _type),
        ("pn partNumber", short(100)),
        ("sn serialNumber", short(100)),
        ("rev revision partRevision", short(100)),
        ("processCode operationTypeCode operationType operationCode", whole),
        ("processName", text),
        ("processCodeFormat", text),
        ("result status uutStatus", status),
        ("machineName stationName station", short(100)),
        ("location", short(100)),
        ("purpose", short(100)),
        ("start startTime startDateTime timestamp", moment),
        ("startUTC", moment),
        ("uut info uutInfo", lambda value: mapping(value)),
        ("uur uurInfo", lambda value: mapping(value)),
        ("root sequence mainSequence", root),
        ("_steps steps", lambda value: value),
        ("miscInfos miscInfo misc", misc_infos),
        ("subUnits uutParts subUnit", sub_units),
        ("assets", assets),
        ("binaryData", files),
        ("additionalData", additional),
        # What older scripts write beside the rest.
        ("_user operator user operatorName", text),
        ("_batch batchSN batchSerialNumber batchNumber", text),
        ("_execTime execTime executionTime", number),
        ("_socket socketIdx testSocketIndex socketIndex", whole),
        ("_fixture fixtureId", text),
        ("_comment comment", text),
        ("_errorCode errorCode", whole),
        ("_errorMessage errorMessage", text),
        ("_sequenceName sequenceName", short(200)),
        ("_sequenceVersion sequenceVersion", short(30)),
        dropped=("assetStats", "origin", "productName", "referencedByUURs"),
    )
