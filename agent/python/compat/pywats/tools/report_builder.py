"""Builds a test report from plain values: what a step is follows from its value."""

from pywats.models import CompOp, StepStatus, UUTInfo, UUTReport

_HEADER = {
    "part_number": "pn",
    "serial_number": "sn",
    "revision": "rev",
    "station": "station_name",
    "machine_name": "station_name",
    "operation_type": "process_code",
    "operation_code": "process_code",
    "start_time": "start",
}
#: What a report says of the station where the script does not; the host sets it for each file.
STATION = {"station_name": "Unknown", "location": "Unknown", "purpose": "Unknown"}
_INFO = (
    "operator", "comment", "exec_time", "fixture_id", "socket_index", "batch_number", "error_code", "error_message"
)


def _operator(low, high):
    if low is not None and high is not None:
        return CompOp.GELE
    if low is not None:
        return CompOp.GE
    return CompOp.LE if high is not None else CompOp.LOG


def _is_number(value):
    return isinstance(value, (int, float)) or (hasattr(value, "__float__") and not isinstance(value, str))


class ReportBuilder:
    """Collects the header and the steps; `build` gives the report.

    A step without a status is judged by its value: True and False speak for themselves, a number is compared with
    its limits, a text with the expected one. A report without a result fails when a step fails.
    """

    def __init__(self, part_number=None, serial_number=None, revision="A", process_code=10, **header):
        given = {"part_number": part_number, "serial_number": serial_number, "revision": revision,
                 "process_code": process_code, **header}
        self._header = {_HEADER.get(name, name): value for name, value in given.items() if value is not None}
        self._info = {name: self._header.pop(name) for name in list(self._header) if name in _INFO}
        self._result = self._header.pop("result", None)
        self._header.setdefault("pn", "")
        self._header.setdefault("sn", "")
        for name, value in STATION.items():
            if not self._header.get(name):
                self._header[name] = value
        self._report = UUTReport(**self._header)
        self._root = self._report.get_root_sequence_call()
        self._groups = {}

    def add_step(self, name, value=None, unit=None, low_limit=None, high_limit=None, status=None, comp_op=None,
                 limit=None, group=None, **common):
        """One step. `group` names the sequence that it goes into."""
        place = self._place(group)
        expected = common.pop("expected", limit)
        if isinstance(value, dict):
            self._several(place, name, value, unit, status, common)
        elif isinstance(value, bool):
            place.add_boolean_step(name=name, status=_judged(status, value), **common)
        elif value is None:
            place.add_boolean_step(name=name, status=_judged(status, True), **common)
        elif isinstance(value, (list, tuple)):
            named = {f"{name} {number}": item for number, item in enumerate(value, 1)}
            self._several(place, name, named, unit, status, common)
        elif _is_number(value):
            operator = CompOp(comp_op) if comp_op is not None else _operator(low_limit, high_limit)
            low, high = low_limit, high_limit
            if len(operator.value) == 2 and low is None:
                low, high = high, None
            passed = operator.evaluate(float(value), low, high)
            place.add_numeric_step(name=name, value=value, unit=unit or "", comp_op=operator, low_limit=low,
                                   high_limit=high, status=_judged(status, passed), **common)
        else:
            operator = CompOp(comp_op) if comp_op is not None else CompOp.LOG if expected is None else CompOp.EQ
            passed = operator.evaluate(str(value), expected)
            place.add_string_step(name=name, value=str(value), comp_op=operator, limit=expected,
                                  status=_judged(status, passed), **common)
        return self

    def add_step_from_dict(self, data, name_key="name", value_key="value", **keys):
        """One step from a dictionary, such as a row of a table. Further `…_key` say under which names things stand."""
        wanted = ("unit", "low_limit", "high_limit", "status", "comp_op", "limit", "group")
        more = {what: data.get(keys.get(f"{what}_key", what)) for what in wanted}
        return self.add_step(data[name_key], data.get(value_key), **{k: v for k, v in more.items() if v is not None})

    def add_steps_from_dict(self, rows, **keys):
        for row in rows:
            self.add_step_from_dict(row, **keys)
        return self

    add_steps = add_steps_from_dict

    def add_misc_info(self, description, value):
        self._report.add_misc_info(description, value)
        return self

    def add_sub_unit(self, part_type, serial_number="", part_number="", revision="", **also):
        self._report.add_sub_unit(part_type, also.get("sn", serial_number), also.get("pn", part_number),
                                  also.get("rev", revision))
        return self

    def set_result(self, result):
        self._result = result
        return self

    def build(self):
        report, root = self._report, self._root
        if self._info:
            report.info = UUTInfo(**self._info)
        for sequence in self._groups.values():
            sequence.status = "F" if sequence.get_failed_steps() else "P"
        if self._result is not None:
            report.result = self._result
        elif root.get_failed_steps():
            report.result = "F"
        root.status = getattr(report.result, "value", report.result)
        return report

    def _place(self, group):
        if group is None:
            return self._root
        if group not in self._groups:
            self._groups[group] = self._root.add_sequence_call(str(group), file_name=str(group))
        return self._groups[group]

    def _several(self, place, name, values, unit, status, common):
        if all(isinstance(value, bool) for value in values.values()):
            step, passed = place.add_multi_boolean_step(name=name, **common), all(values.values())
            for key, value in values.items():
                step.add_measurement(name=str(key), status=_judged(None, value))
        elif all(_is_number(value) for value in values.values()):
            step, passed = place.add_multi_numeric_step(name=name, **common), True
            for key, value in values.items():
                step.add_measurement(name=str(key), value=value, unit=unit or "")
        else:
            step, passed = place.add_multi_string_step(name=name, **common), True
            for key, value in values.items():
                step.add_measurement(name=str(key), value=str(value))
        step.status = _judged(status, passed)


def _judged(status, passed):
    if status is not None:
        return StepStatus(status)
    return StepStatus.Passed if passed else StepStatus.Failed


def quick_report(part_number, serial_number, steps=(), **header):
    """A report from a list of dictionaries with `name` and `value`."""
    return ReportBuilder(part_number, serial_number, **header).add_steps_from_dict(steps).build()
