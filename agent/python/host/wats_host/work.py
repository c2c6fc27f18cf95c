"""One request to a converter: its source, its context, its result."""

import asyncio
import inspect
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

from . import bridge
from .describe import given
from .explain import explain
from .values import Wrong, notes

_ALARM, _REJECT = 0.5, 0.2
_SECONDS = 60


class Refused(Exception):
    """The request ends with this answer."""

    def __init__(self, answer):
        super().__init__(answer)
        self.answer = answer


class Place:
    """What the station fills in where a report says nothing."""

    _zones = {}

    def __init__(self, request):
        station = request.get("station") or {}
        self.station = station.get("name") or ""
        self.location = station.get("location") or ""
        self.purpose = station.get("purpose") or ""
        self.operator = station.get("operator") or ""
        self.zone_name = station.get("time_zone") or "UTC"
        self.modified = request.get("modified")
        self.zone = self._zones.get(self.zone_name) or self._find_zone(self.zone_name)

    @classmethod
    def _find_zone(cls, name):
        if name == "UTC":
            zone = timezone.utc
        else:
            try:
                import zoneinfo

                zone = zoneinfo.ZoneInfo(name)
            except Exception:
                # Without the data of zones on this machine.
                zone = timezone.utc
        cls._zones[name] = zone
        return zone

    def now(self):
        return datetime.now(self.zone).isoformat()


class Work:
    """A request that a converter is called for."""

    def __init__(self, converter, request):
        self.api = converters = converter.api
        self.converter = converter
        self.place = Place(request)
        path = request.get("path")
        self.path = Path(path) if path is not None else None
        builder = sys.modules.get("pywats.tools.report_builder")
        if builder is not None:
            station = {"station_name": self.place.station, "location": self.place.location, "purpose": self.place.purpose}
            builder.STATION = {name: value or "Unknown" for name, value in station.items()}
        self.arguments = given(converter, request)
        self.context = converters.ConverterContext(
            drop_folder=self.path.parent if self.path is not None else None,
            station_name=self.place.station,
            operator=self.place.operator,
            arguments=dict(self.arguments),
            metadata={
                "location": self.place.location,
                "purpose": self.place.purpose,
                "time_zone": self.place.zone_name,
                "modified": self.place.modified,
            },
        )
        self.instance = None
        self.result = None

    def take(self, kept):
        """Makes the instance, or takes one that was loaded before with the same arguments."""
        if kept is not None:
            self.instance = kept
        else:
            self.instance = self.converter.make(self.arguments)
            if self.converter.keeps and hasattr(self.instance, "on_load"):
                finished(self.instance.on_load(self.context))
        if self.path is not None:
            # The real class may have a property without a setter.
            try:
                self.instance.source_path = self.path
            except AttributeError:
                pass
        if self.converter.style in ("base", "text"):
            self.instance.user_settings = dict(self.arguments)
            self.second = self.api.base.ConverterArguments(
                api_client=None,
                file_info=self.api.FileInfo(self.path),
                drop_folder=self.path.parent,
                done_folder=None,
                error_folder=None,
                user_settings=dict(self.arguments),
            )
            self.first = self.path
        elif self.converter.style == "scheduled":
            self.first, self.second = None, self.context
        else:
            make = self.api.ConverterSource.from_folder if self.converter.style == "folder" else (
                self.api.ConverterSource.from_file)
            self.first, self.second = make(self.path), self.context

    def recognised(self):
        """The answer to `recognise`, or None where the converter has nothing to say beyond its patterns."""
        style, instance = self.converter.style, self.instance
        if style == "folder" and not finished(instance.is_folder_ready(self.path, self.context)):
            return {"confidence": _ALARM, "ready": False, "missing": ["the folder is not complete"],
                    "retry_after": _SECONDS}
        if self.converter.validates is None:
            return None
        if style == "base":
            answer = finished(instance.validate_file(self.api.FileInfo(self.path)))
            fits, why = answer if isinstance(answer, tuple) else (answer, "")
            return {"confidence": 0.6 if fits else 0.0, "reason": str(why or "")}
        if style == "text":
            fits = finished(instance.matches_file(self.path))
            return {"confidence": 0.7 if fits else 0.0, "reason": "matches_file said yes" if fits else "matches_file said no"}
        return _validation(finished(instance.validate(self.first, self.context)))

    def check(self):
        """Raises Refused where the converter does not take the source. Returns a warning, or None."""
        if not self.converter.checks:
            return None
        seen = self.recognised()
        if seen is None:
            return None
        reason = seen.get("reason") or "the converter does not take it"
        if not seen.get("ready", True):
            missing = ", ".join(seen.get("missing") or ["something"])
            raise Refused({"answer": "not-yet", "reason": f"waits for {missing}",
                           "retry_after": seen.get("retry_after", _SECONDS)})
        if seen["confidence"] < _REJECT:
            raise Refused({"answer": "rejected", "reason": reason, "confidence": seen["confidence"]})
        if seen["confidence"] < _ALARM:
            return f"the converter is not sure that the file is its own (confidence {seen['confidence']:.2f}): {reason}"
        return None

    def convert(self):
        """Calls the converter and keeps its result."""
        style, instance = self.converter.style, self.instance
        if style == "scheduled":
            self.result = self._run()
        elif style == "text":
            text = self.path.read_text(encoding="utf-8-sig", errors="replace")
            self.result = finished(instance.convert(text, self.path))
            if self.result is None:
                self.result = self.api.ConverterResult.skipped_result("convert returned nothing")
        elif style == "base":
            self.result = finished(instance.convert_file(self.path, self.second))
        else:
            self.result = finished(instance.convert(self.first, self.second))

    def _run(self):
        instance, context = self.instance, self.context
        finished(instance.on_run_start(context))
        try:
            results = finished(instance.run(context))
        except Exception as error:
            finished(instance.on_run_error(error, context))
            raise
        results = _listed(results)
        finished(instance.on_run_complete(results, context))
        return results

    def settled(self, request):
        """Tells the converter what became of the source."""
        stored = request.get("outcome") == "stored"
        hook = getattr(self.instance, "on_success" if stored else "on_failure", None)
        if hook is None:
            return
        result = self.result
        if not isinstance(result, self.api.ConverterResult):
            make = self.api.ConverterResult
            result = make.success_result(report=result) if stored else make.failed_result(str(request.get("error") or ""))
        elif not stored and not result.error:
            result.error = str(request.get("error") or "")
        finished(hook(self.first, result, self.second))

    def answer(self, channel):
        """Writes the reports and warnings; returns the last answer."""
        if self.converter.style == "scheduled":
            return self._answer_run(channel)
        return self._answer_one(self.result, channel)

    def _answer_run(self, channel):
        failed = []
        for result in self.result:
            last = self._answer_one(result, channel, scheduled=True)
            if last["answer"] == "failed":
                failed.append(last["error"])
            elif last["answer"] != "done":
                channel.answer({"answer": "log", "level": "info", "text": f"{last['answer']}: {last.get('reason', '')}"})
        if failed and len(failed) == len(self.result):
            return {"answer": "failed", "error": "\n".join(failed)}
        for words in failed:
            channel.answer({"answer": "warning", "text": f"one of the results failed: {words}"})
        return {"answer": "done"}

    def _answer_one(self, result, channel, scheduled=False):
        status = getattr(result, "status", None)
        status = str(getattr(status, "value", status)).lower() if hasattr(result, "post_action") else None
        for words in getattr(result, "warnings", None) or ():
            channel.answer({"answer": "warning", "text": str(words)})
        if status == "failed":
            return {"answer": "failed", "error": str(result.error or "the converter says that it failed, and not why")}
        if status == "suspended":
            return {"answer": "not-yet", "reason": str(result.suspend_reason or "the converter asks to wait"),
                    "retry_after": _seconds(result.retry_after)}
        if status == "skipped":
            return {"answer": "skipped", "reason": str(result.error or result.suspend_reason or "the converter skips it")}
        if status == "rejected":
            answer = {"answer": "rejected", "reason": str(result.error or "the converter does not take it")}
            confidence = (result.metadata or {}).get("confidence")
            return {**answer, "confidence": confidence} if isinstance(confidence, (int, float)) else answer
        reports = _reports(result) if status is None else _reports_of(result)
        if not reports and not scheduled:
            return {"answer": "failed", "error": "the converter gave no report: return a ConverterResult with one,"
                    " or a skipped_result where there is nothing to report"}
        self._write(reports, channel)
        done = {"answer": "done"}
        after = self._after(result)
        if after is not None:
            done["after"] = after
        return done

    def _write(self, reports, channel):
        said = {}
        waiting = None
        for index, report in enumerate(reports, 1):
            try:
                made = bridge.report(report, self.place)
            except Wrong as wrong:
                which = f"report {index} of {len(reports)}" if len(reports) > 1 else "the report"
                raise Refused({"answer": "failed", "error": f"{which} cannot be sent: {wrong}"}) from None
            for words in notes.sentences():
                said[words] = said.get(words, 0) + 1
            own = made.pop("_made_id", None)
            if own is not None and len(reports) > 1:
                # A repair in the same file may point at the test by the id that the model made up.
                if waiting is None:
                    waiting = _referred(reports)
                if own in waiting:
                    made["id"] = own
            channel.report(made)
        for words, count in said.items():
            text = words if count == 1 else f"{words} (in {count} reports)"
            channel.answer({"answer": "warning", "text": text})

    def _after(self, result):
        """What the converter wants done with the source, where that is not what is usual."""
        for value in (getattr(result, "post_action", None), getattr(self.instance, "default_post_action", None)):
            after = getattr(value, "value", value)
            if isinstance(after, str) and after.lower() in ("delete", "zip", "keep"):
                return after.lower()
        return None


def finished(value):
    """The value; of an async method what it gives in the end."""
    if inspect.iscoroutine(value):
        return asyncio.run(value)
    if inspect.isasyncgen(value):
        async def collect():
            return [item async for item in value]

        return asyncio.run(collect())
    return value


def _listed(value):
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) or inspect.isgenerator(value) else [value]


def _reports_of(result):
    reports = getattr(result, "reports", None)
    if reports:
        return _reports(reports)
    return _reports(getattr(result, "report", None))


def _reports(value):
    """One report or many, however they were handed over."""
    if value is None:
        return []
    if isinstance(value, dict) or hasattr(value, "model_dump"):
        return [value]
    if isinstance(value, (list, tuple)) or inspect.isgenerator(value):
        return [report for item in value for report in _reports(
            _reports_of(item) if hasattr(item, "post_action") else item)]
    raise Refused({"answer": "failed", "error": "the converter must return a ConverterResult, a report or a dictionary,"
                   f" and returned {type(value).__name__}"})


def _referred(reports):
    """The ids of tests that repairs among these point at."""
    found = set()
    for report in reports:
        info = report.get("uur") if isinstance(report, dict) else getattr(report, "info", None)
        for name in ("refUUT", "ref_uut"):
            value = info.get(name) if isinstance(info, dict) else getattr(info, name, None)
            if value is not None:
                found.add(str(value))
    return found


def _seconds(value):
    if value is None:
        return _SECONDS
    total = getattr(value, "total_seconds", None)
    try:
        return max(1, int(total() if total is not None else value))
    except (TypeError, ValueError, OverflowError):
        return _SECONDS


def _validation(seen):
    """A ValidationResult as the protocol has it. A plain answer of yes or no is taken as well."""
    if not hasattr(seen, "can_convert"):
        fits, why = seen if isinstance(seen, tuple) else (seen, "")
        return {"confidence": 0.6 if fits else 0.0, "reason": str(why)}
    answer = {"confidence": float(seen.confidence) if seen.can_convert else 0.0, "reason": str(seen.message or "")}
    if not seen.ready:
        answer.update(ready=False, missing=[str(item) for item in seen.missing_dependencies],
                      retry_after=_seconds(seen.retry_after))
    pairs = (("part_number", "part_number"), ("serial_number", "serial_number"), ("process", "process"),
             ("start", "start_time"), ("result", "result"), ("station", "station"))
    detected = {}
    for name, field in pairs:
        value = getattr(seen, f"detected_{field}", None)
        if value is not None:
            detected[name] = value.isoformat() if hasattr(value, "isoformat") else str(getattr(value, "value", value))
    if detected:
        answer["detected"] = detected
    return answer


def words(error, plugin):
    """An exception of the converter, as an answer."""
    return explain(error, plugin.folder)


def enter(scratch):
    """Makes the scratch folder the working directory."""
    if scratch and os.path.isdir(scratch):
        os.chdir(scratch)
