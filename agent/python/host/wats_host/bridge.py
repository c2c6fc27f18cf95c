"""From what a converter hands over to a report that the server takes.

A converter hands over a model of pyWATS (ours or the published one), or a dictionary: in the format itself, with the
names of the model's fields, or in the words of older converters. All become WSJF here. What can be repaired is
repaired with a note; what cannot is refused with the path to it.
"""

from datetime import date
from enum import Enum
from math import isfinite
from operator import itemgetter
from pathlib import PurePath

from . import members
from .members import Members, mapping, one
from .values import Wrong, flag, kind, moment, notes, number, short, shown, status, text, whole

_DEPTH = 50
_PREFIXED = {
    "_user": "user",
    "_batch": "batchSN",
    "_execTime": "execTime",
    "_socket": "testSocketIndex",
    "_fixture": "fixtureId",
    "_comment": "comment",
    "_errorCode": "errorCode",
    "_errorMessage": "errorMessage",
}
#: Older words for kinds of steps.
_KINDS = {
    "SEQ": "SequenceCall",
    "NT": "ET_NLT",
    "MNT": "ET_MNLT",
    "PF": "ET_PFT",
    "MPF": "ET_MPFT",
    "ST": "ET_SVT",
    "MST": "ET_MSVT",
    "GEN": "GT",
}
_SEQUENCES = ("SequenceCall", "WATS_SeqCall")
_NUMERIC = ("ET_NLT", "ET_MNLT", "NumericLimitTest", "MultiNumericLimitTest", "WATS_XYGMNLT")
_STRING = ("ET_SVT", "ET_MSVT", "StringValueTest", "MultiStringTest")
_BOOLEAN = ("ET_PFT", "ET_MPFT", "PassFailTest", "MultiBooleanTest")


def _step_type(value):
    name = text(value).strip()
    return _KINDS.get(name, name)


def _as_given(value):
    return value


_STEP = Members(
    "a step",
    ("stepType", _step_type),
    ("_kind type", _step_type),
    ("name stepName", short(100)),
    ("group stepGroup", members._letter),
    ("status stepStatus result", status),
    ("id stepId", _as_given),
    ("errorCode", whole),
    ("errorMessage", short(200)),
    ("reportText", short(100_000)),
    ("start startTime", moment),
    ("totTime totalTime stepTime", number),
    ("tsGuid", text),
    ("causedSeqFailure causedSequenceFailure", flag),
    ("causedUUTFailure", flag),
    ("interactiveExeNum", whole),
    *((f"{name}Format", text) for name in ("errorCode", "totTime", "interactiveExeNum")),
    ("loop", one(members.LOOP)),
    ("seqCall sequence sequenceCall", one(members.SEQUENCE)),
    ("numericMeas numericMeasurements", members.numeric_measurements),
    ("stringMeas stringMeasurements", members.string_measurements),
    ("booleanMeas booleanMeasurements", members.boolean_measurements),
    ("callExe", one(members.CALL_EXE)),
    ("messagePopup", one(members.POPUP)),
    ("chart", members.chart),
    ("attachment", members.attachment),
    ("additionalResults", members.additional),
    ("_steps steps stepResults children", _as_given),
    # A measurement that stands in the step itself.
    ("_value value numericValue stringValue passFailStatus", _as_given),
    ("_unit unit units", _as_given),
    ("_compOp compOp", _as_given),
    ("_low lowLimit", _as_given),
    ("_high highLimit", _as_given),
    ("_limit limit stringLimit", _as_given),
    ("_several measurements measurement", _as_given),
    dropped=("caller", "module", "parent", "index", "failParentOnFailure"),
)
_FLAT = ("_value", "_unit", "_compOp", "_low", "_high", "_limit", "_several")


_LEAF = {"stepType", "group", "name", "status", "numericMeas"}
_MEASURED = {"name", "value", "unit", "compOp", "lowLimit", "highLimit", "status"}
_NUMBERS = (float, int)


def _is_plain(given):
    """True for what most steps are, and nothing has to be made of: one number between two limits, or with none.

    The rest of this module would hand it back as it is, at ten times the cost."""
    if type(given) is not dict or not given.keys() <= _LEAF or given.get("stepType") != "ET_NLT" or given.get("group") != "M":
        return False
    name, status_, several = given.get("name"), given.get("status"), given.get("numericMeas")
    if type(name) is not str or not 0 < len(name) <= 100 or not name.isprintable() or name[0] == " " or name[-1] == " ":
        return False
    if type(several) is not list or len(several) != 1 or (status_ != "P" and status_ != "F" and status_ != "S"):
        return False
    only = several[0]
    if type(only) is not dict or not only.keys() <= _MEASURED or only.get("status") != status_:
        return False
    value, unit, named = only.get("value"), only.get("unit", ""), only.get("name", name)
    if type(value) not in _NUMBERS or value - value != 0 or type(unit) is not str or len(unit) > 20 or not unit.isprintable():
        return False
    if unit.strip() != unit or (named is not name and named != name):
        return False
    operator = only.get("compOp")
    if operator == "LOG":
        return "lowLimit" not in only and "highLimit" not in only
    low, high = only.get("lowLimit"), only.get("highLimit")
    return (
        operator == "GELE"
        and type(low) in _NUMBERS
        and type(high) in _NUMBERS
        and low - low == 0
        and high - high == 0
    )


_NUMBER_TYPES = set(_NUMBERS)
_WHOLE_LEAF = itemgetter("stepType", "group", "name", "status", "numericMeas")
_WHOLE_MEASURED = itemgetter("name", "value", "unit", "compOp", "lowLimit", "highLimit", "status")
_FIRST = itemgetter(0)


def _are_texts(texts):
    """True where nothing is left out or cut off from any of them. A text that looks like two may be judged too hard."""
    joined = "|".join(texts)
    return joined.isprintable() and not (joined[:1] == " " or joined[-1:] == " " or " |" in joined or "| " in joined)


def _are_plain(children):
    """True where all of many steps are plain, with all their members: looked at by column, which takes a third of the
    time. Where this says no, each is looked at by itself."""
    try:
        if set(map(type, children)) != {dict} or set(map(len, children)) != {5}:
            return False
        types, groups, names, states, several = zip(*map(_WHOLE_LEAF, children))
        if set(types) != {"ET_NLT"} or set(groups) != {"M"} or not set(states) <= {"P", "F", "S"}:
            return False
        if set(map(type, several)) != {list} or set(map(len, several)) != {1}:
            return False
        measured = list(map(_FIRST, several))
        if set(map(type, measured)) != {dict} or set(map(len, measured)) != {7}:
            return False
        titles, values, units, operators, lows, highs, own = zip(*map(_WHOLE_MEASURED, measured))
        kinds = {*map(type, values), *map(type, lows), *map(type, highs)}
        return (
            titles == names
            and own == states
            and set(operators) == {"GELE"}
            and kinds <= _NUMBER_TYPES
            # One that is none makes the sum none.
            and isfinite(sum(values) + sum(lows) + sum(highs))
            and set(map(type, names)) == set(map(type, units)) == {str}
            and max(map(len, names)) <= 100
            and max(map(len, units)) <= 20
            and _are_texts(names)
            and _are_texts(units)
            and "" not in names
        )
    except (KeyError, TypeError, OverflowError):
        return False


def step(given, depth=1):
    """One step with all below it."""
    if _is_plain(given) and depth <= _DEPTH:
        notes.steps.append(given)
        return given
    if depth > _DEPTH:
        raise Wrong(f"steps are nested more than {_DEPTH} deep")
    made = _STEP.read(mapping(given))
    try:
        notes.steps.append(made)
        sort = made.pop("_kind", None)
        if "stepType" not in made and sort is not None:
            made["stepType"] = sort
        below = made.pop("_steps", None)
        if made.keys() & _FLAT_NAMES:
            _measurement(made)
        if not made.get("name"):
            made["name"] = "Step"
        made.setdefault("group", "M")
        if below is not None or "seqCall" in made or made.get("stepType") in _SEQUENCES:
            _sequence(made, below, depth)
        else:
            made.setdefault("stepType", _type_of(made))
            made.setdefault("status", _worst(made))
        loop = made.get("loop")
        if loop is not None and not loop:
            del made["loop"]
        _agree(made)
    except Wrong as wrong:
        raise wrong.below(f"step {made.get('name', '')!r}")
    return made


_FLAT_NAMES = frozenset(_FLAT)


def _sequence(made, below, depth):
    made.setdefault("stepType", "SequenceCall")
    if "seqCall" not in made:
        made["seqCall"] = {"path": made["name"], "name": made["name"], "version": "1.0.0"}
    if below is None:
        below = ()
    if not isinstance(below, (list, tuple)):
        raise Wrong(f"steps must be a list, and is {kind(below)}")
    if depth < _DEPTH and below and _are_plain(below):
        made["steps"] = children = list(below)
        notes.steps += children
    else:
        made["steps"] = children = [step(child, depth + 1) for child in below]
        if any("loop" in child for child in children):
            _loops(children)
    if "status" not in made:
        states = {child["status"] for child in children}
        made["status"] = "E" if "E" in states else "F" if "F" in states else "T" if "T" in states else "P"


def _type_of(made):
    for name, single, several in (
        ("numericMeas", "ET_NLT", "ET_MNLT"), ("stringMeas", "ET_SVT", "ET_MSVT"), ("booleanMeas", "ET_PFT", "ET_MPFT")
    ):
        if made.get(name):
            return single if len(made[name]) == 1 else several
    return "Action" if "chart" not in made else "Chart"


def _measurement(made):
    """A measurement whose parts stand in the step itself becomes one of the step."""
    flat = {name: made.pop(name, None) for name in _FLAT}
    several, value, sort = flat["_several"], flat["_value"], made.get("stepType", "")
    first = several[0] if isinstance(several, (list, tuple)) and several else several
    if isinstance(first, dict):
        value = next((first[name] for name in ("value", "numericValue", "stringValue") if name in first), None)
    if sort in _NUMERIC:
        target, make = "numericMeas", members.numeric_measurements
    elif sort in _STRING:
        target, make = "stringMeas", members.string_measurements
    elif sort in _BOOLEAN or isinstance(value, bool) or (value is None and several is not None):
        target, make = "booleanMeas", members.boolean_measurements
    elif isinstance(value, str):
        target, make = "stringMeas", members.string_measurements
    elif value is None:
        return
    elif isinstance(value, Enum | PurePath | date):
        target, make = "stringMeas", members.string_measurements
    else:
        target, make = "numericMeas", members.numeric_measurements
    if target in made:
        return
    if several is not None:
        made[target] = make(several)
        return
    one_measurement = {"value": value}
    if target == "numericMeas":
        one_measurement.update(
            unit=flat["_unit"], compOp=flat["_compOp"], lowLimit=flat["_low"], highLimit=flat["_high"]
        )
    elif target == "stringMeas":
        one_measurement.update(value="" if value is None else value, compOp=flat["_compOp"], limit=flat["_limit"])
    if made.get("status") in ("P", "F", "S"):
        one_measurement["status"] = made["status"]
    made[target] = make([one_measurement])


def _measured(made):
    return made.get("numericMeas") or made.get("stringMeas") or made.get("booleanMeas")


def _worst(made):
    """The status of a step that says none."""
    return "F" if any(measured["status"] == "F" for measured in _measured(made) or ()) else "P"


def _agree(made):
    """A server refuses a single measurement whose status is not that of its step."""
    measured = _measured(made)
    if not measured:
        return
    of_step = made["status"]
    if len(measured) == 1:
        only = measured[0]
        if only["status"] not in ("P", "F", "S"):
            only["status"] = "F" if only["status"] in ("E", "T") else "P"
        if of_step != only["status"] and of_step != "S":
            worse = "F" if {of_step, only["status"]} & {"F", "E", "T"} else "P"
            if {of_step, only["status"]} != {"D", "P"}:
                notes.add(f"a step was {of_step} and its only measurement {only['status']}: both are reported as {worse}")
            made["status"] = only["status"] = worse
        return
    names = set()
    for index, item in enumerate(measured, 1):
        if item["status"] not in ("P", "F", "S"):
            item["status"] = "F" if item["status"] in ("E", "T") else "P"
        name = item.get("name") or f"Measurement {index}"
        unique, count = name, 1
        while unique in names:
            count += 1
            unique = f"{name} #{count}"
        names.add(unique)
        item["name"] = unique
    if of_step == "P" and any(item["status"] == "F" for item in measured):
        notes.add("a step was P and one of its measurements F: the step is reported as F")
        made["status"] = "F"


def _loops(children):
    """The counts of each loop, from its turns. A summary without turns is an ordinary step."""
    by_name = {}
    for child in children:
        if "loop" in child:
            by_name.setdefault(child["name"], []).append(child)
    for group in by_name.values():
        turns = [child for child in group if child["loop"].get("idx") is not None]
        for child in group:
            if child["loop"].get("idx") is not None:
                continue
            if not turns:
                del child["loop"]
                continue
            highest = max(turn["loop"]["idx"] for turn in turns)
            child["loop"] = {
                "num": highest + 1,
                "endingIndex": highest,
                "passed": sum(turn["status"] == "P" for turn in turns),
                "failed": sum(turn["status"] == "F" for turn in turns),
            }


def _root(value):
    if isinstance(value, (list, tuple)):
        return list(value)
    return mapping(value)


_REPORT = members.report_members(_root)


def report(value, place):
    """One report. `place` says what the station fills in."""
    notes.clear()
    notes.zone = place.zone
    given = mapping(value)
    made = _REPORT.read(given)
    fields = getattr(value, "model_fields_set", None)
    if fields is not None:
        # What the model made up itself would be other at every conversion of the same file.
        if "id" not in fields and "id" in made:
            made["_made_id"] = made.pop("id")
        if "start" not in fields and place.modified is not None:
            made.pop("start", None)
    sort = made.setdefault("type", "R" if "uur" in made else "T")
    if sort not in ("T", "R"):
        raise Wrong(f"must be T or R, and is {shown(sort)}", "type")
    _header(made, place)
    if sort == "T":
        _test(made, place, fields)
    else:
        _repair(made, place)
    return made


def _header(made, place):
    for name in ("pn", "sn"):
        if not made.get(name):
            raise Wrong(f"is missing: {'part' if name == 'pn' else 'serial'} number of the unit", name)
    if not made.get("machineName"):
        made["machineName"] = place.station
    if not made.get("location"):
        made["location"] = place.location
    if not made.get("purpose"):
        made["purpose"] = place.purpose
    made.setdefault("rev", "")
    if "processCode" not in made:
        raise Wrong("is missing: the number of the operation, such as 10", "processCode")
    if "start" not in made:
        if place.modified is None:
            made["start"] = place.now()
        else:
            notes.add("the converter gave no start time: the time of the file is taken")
            made["start"] = moment(place.modified)


def _test(made, place, fields):
    made.pop("uur", None)
    made.pop("binaryData", None) if not made.get("binaryData") else None
    uut = members.UUT.read(made.pop("uut", {}))
    for name, member in _PREFIXED.items():
        if name in made:
            uut.setdefault(member, made.pop(name))
    if not uut.get("user"):
        uut["user"] = place.operator
    if fields is not None and uut.get("fixtureId") == "Fixture":
        # What the published model invents where nobody set one.
        del uut["fixtureId"]
    made["uut"] = uut
    tree = made.pop("root", None)
    steps = made.pop("_steps", None)
    name, version = made.pop("_sequenceName", None), made.pop("_sequenceVersion", None)
    if tree is None or isinstance(tree, list):
        tree = {"name": "MainSequence Callback", "steps": tree if tree is not None else steps or []}
        tree["status"] = made.get("result")
    if not isinstance(tree.get("name"), str) or tree["name"] in ("", "StepName"):
        tree = {**tree, "name": "MainSequence Callback"}
    try:
        root = step(tree)
    except Wrong as wrong:
        raise wrong.below("root")
    if "seqCall" not in root:
        raise Wrong("must be a sequence with steps", "root")
    if name:
        root["seqCall"]["name"] = root["seqCall"]["path"] = name
    if version:
        root["seqCall"]["version"] = version
    made["root"] = root
    _result(made, root)
    _ids()
    if made.get("binaryData"):
        _hang(made.pop("binaryData"), root)


def _result(made, root):
    """Result and status of the root are one for the server."""
    result, of_root = made.get("result"), root["status"]
    if result == "D":
        result = "P"
    if result is None:
        result = of_root if of_root in ("P", "F", "E", "T") else "P"
    elif result == "P" and of_root in ("F", "E", "T"):
        notes.add(f"the report was P and its root step {of_root}: it is reported as {of_root}")
        result = of_root
    if result == "S":
        raise Wrong("cannot be S (skipped): it must be P, F, E or T", "result")
    made["result"] = root["status"] = result


def _ids():
    """Ids of steps: all or none, each once, as numbers."""
    steps = notes.steps
    given = [item["id"] for item in steps if "id" in item]
    if not given:
        return
    numbers = [number for number in given if type(number) is int]
    if len(numbers) != len(steps) or len(set(numbers)) != len(steps):
        for number, item in enumerate(steps, 1):
            item["id"] = number


def _hang(binaries, root):
    """Files of a test hang on steps: each gets one of its own."""
    taken = {child["name"] for child in root["steps"]}
    for item in binaries:
        item.pop("id", None)
        name = item["name"]
        while name in taken:
            name += "'"
        taken.add(name)
        child = {"stepType": "Action", "name": name[:100], "group": "C", "status": "D", "attachment": item}
        if "id" in root:
            child["id"] = max(other["id"] for other in notes.steps) + 1
        notes.steps.append(child)
        root["steps"].append(child)


def _repair(made, place):
    for name in ("root", "uut", "_steps", *_PREFIXED, "_sequenceName", "_sequenceVersion"):
        value = made.pop(name, None)
        if name == "uut" and "uur" not in made and value is not None:
            made["uur"] = value
        elif name in ("_user", "_comment", "_execTime") and value is not None:
            made["uur"] = {**made.get("uur", {}), _PREFIXED[name]: value}
    uur = members.UUR.read(made.get("uur", {}))
    test = uur.pop("_test", None)
    if test is not None:
        uur.setdefault("processCode", test)
    if not uur.get("user"):
        uur["user"] = place.operator
    uur.setdefault("execTime", 0.0)
    for name in ("confirmDate", "finalizeDate"):
        uur.setdefault(name, made["start"])
    made["uur"] = uur
    made.setdefault("result", "P")
    if not made.get("binaryData"):
        made.pop("binaryData", None)
    units = made.setdefault("subUnits", [])
    if not any(unit.get("idx") == 0 for unit in units):
        if units and "idx" not in units[0] and units[0].get("sn") == made["sn"]:
            units[0]["idx"] = 0
        else:
            units.insert(0, {"partType": "Main", "pn": made["pn"], "sn": made["sn"], "rev": made["rev"], "idx": 0})
    used = {unit["idx"] for unit in units if "idx" in unit}
    for unit in units:
        if "idx" not in unit:
            unit["idx"] = next(number for number in range(len(units) + len(used) + 1) if number not in used)
            used.add(unit["idx"])
