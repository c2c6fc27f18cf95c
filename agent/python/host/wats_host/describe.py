"""What a plug-in is: the answer to `describe`."""

from .explain import explain

_TYPES = {
    "string": "string", "str": "string", "text": "string",
    "integer": "integer", "int": "integer",
    "float": "float", "number": "float", "double": "float",
    "boolean": "boolean", "bool": "boolean",
    "path": "path", "file": "path", "folder": "path",
    "choice": "choice", "enum": "choice",
    "password": "password",
}


def described(plugin):
    return {
        "answer": "described",
        "protocol": 1,
        "persistent": True,
        "converters": [_converter(converter) for converter in plugin.classes.values()],
    }


def _converter(converter):
    sample = converter.sample

    def get(name, default):
        try:
            value = getattr(sample, name, default)
            return default if value is None or callable(value) else value
        except Exception as error:
            raise ValueError(f"{converter.cls.__name__}.{name}: {explain(error, converter.plugin.folder)}") from None

    about = {
        "name": converter.name,
        "title": converter.title,
        "version": str(get("version", "")),
        "description": str(get("description", "") or (converter.cls.__doc__ or "").strip().split("\n")[0]),
        "author": str(get("author", "")),
        "kind": converter.style if converter.style in ("folder", "scheduled") else "file",
        "arguments": [about for about, _ in converter.declared],
        "hooks": converter.hooks,
    }
    if converter.style == "file":
        about["patterns"] = _list(get("file_patterns", ["*"]))
    elif converter.style == "folder":
        about["patterns"] = _list(get("folder_patterns", ["*"]))
        about["readiness_marker"] = get("readiness_marker", None)
        about["min_files"] = get("min_file_count", None)
        about["expected_files"] = get("expected_files", None)
    elif converter.style == "scheduled":
        interval = get("schedule_interval", None)
        if interval is not None:
            about["interval_seconds"] = int(getattr(interval, "total_seconds", lambda: interval)())
        elif get("cron_expression", None):
            about["cron"] = str(sample.cron_expression)
        about["run_on_startup"] = bool(get("run_on_startup", False))
    else:
        about["patterns"] = [_pattern(extension) for extension in _list(get("supported_extensions", ["*"]))] or ["*"]
    return {name: value for name, value in about.items() if value is not None}


def _list(value):
    return [value] if isinstance(value, str) else [str(item) for item in value]


def _pattern(extension):
    """`.csv` and `csv` mean `*.csv`."""
    if "*" in extension:
        return "*" if extension in ("*", ".*", "*.*") else extension
    return f"*.{extension.lstrip('.')}"


def definitions(converter):
    """The arguments by name, as the class declares them; the constructor's parameters first."""
    found = {
        name: {"type": _guess(default), "default": default, "required": False}
        for name, default in converter.parameters.items()
    }
    schema = getattr(converter.sample, "arguments_schema", None)
    schema = schema() if callable(schema) else schema
    if not schema and hasattr(converter.sample, "get_arguments"):
        schema = converter.sample.get_arguments()
    found.update(schema or {})
    return found


def _guess(default):
    kinds = ((bool, "boolean"), (int, "integer"), (float, "float"))
    return next((name for kind, name in kinds if isinstance(default, kind)), "string")


def argument(name, definition):
    """One argument as the protocol has it. Declared by an ArgumentDefinition, a dictionary, or its default alone."""
    if isinstance(definition, dict):
        get = definition.get
    elif hasattr(definition, "arg_type"):
        names = {"type": "arg_type", "min": "min_value", "max": "max_value"}
        get = lambda key, default=None: getattr(definition, names.get(key, key), default)  # noqa: E731
    else:
        get = {"type": _guess(definition), "default": definition}.get
    kind = get("type") or get("arg_type") or "string"
    kind = getattr(kind, "value", None) or getattr(kind, "__name__", None) or kind
    about = {
        "name": str(name),
        "type": _TYPES.get(str(kind).lower(), "string"),
        "default": _plain(get("default")),
        "help": str(get("description") or get("help") or ""),
        "required": bool(get("required", False)),
        "choices": [_plain(choice) for choice in get("choices")] if get("choices") else None,
        "min": _bound(get("min")),
        "max": _bound(get("max")),
        "pattern": get("pattern"),
    }
    if about["choices"]:
        about["type"] = "choice"
    return {key: value for key, value in about.items() if value is not None}


def _bound(value):
    """A limit of a number, or None where it limits nothing."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if number - number != 0 else value if type(value) is int else number


def _plain(value):
    value = getattr(value, "value", value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def given(converter, request):
    """The arguments of a request with the types that the class declares, and its defaults for the rest.

    Raises ValueError, in words, where one does not fit.
    """
    values = dict(request.get("arguments") or {})
    for about, definition in converter.declared:
        name = about["name"]
        value = values.get(name)
        if value is None:
            if "default" in about:
                values[name] = about["default"]
            elif about["required"]:
                raise ValueError(f"the argument {name} is required")
            continue
        values[name] = value = _typed(name, about["type"], value)
        check = getattr(definition, "validate", None)
        if check is not None:
            fits, why = check(value)
            if not fits:
                raise ValueError(f"the argument {name} is wrong: {why}")
    return values


def _typed(name, kind, value):
    try:
        if kind == "integer" and isinstance(value, str):
            return int(value)
        if kind == "float" and isinstance(value, (str, int)) and not isinstance(value, bool):
            return float(value)
        if kind == "boolean" and isinstance(value, str):
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
    except (ValueError, KeyError):
        raise ValueError(f"the argument {name} must be {kind}, and is {value!r}") from None
    return value
