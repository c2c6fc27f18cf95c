"""When a cron expression of five fields is due."""

from datetime import timedelta

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES = (
    {},
    {},
    {},
    {name: i + 1 for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())},
    {name: i for i, name in enumerate("sun mon tue wed thu fri sat".split())},
)


def parse(expression):
    """The allowed values of minute, hour, day, month and day of the week."""
    parts = expression.split()
    if len(parts) != 5:
        raise ValueError(f"a cron expression has five fields, and {expression!r} has {len(parts)}")
    fields = [_field(text, index, expression) for index, text in enumerate(parts)]
    fields[4] = {day % 7 for day in fields[4]}
    either = parts[2] != "*" and parts[4] != "*"
    return fields, either


def next_time(expression, after):
    """The first minute after `after` that the expression names, or None within the next four years."""
    (minutes, hours, days, months, weekdays), either = parse(expression)
    at = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = at + timedelta(days=4 * 366)
    while at < end:
        if at.month not in months:
            at = (at.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
            continue
        on_day, on_weekday = at.day in days, (at.weekday() + 1) % 7 in weekdays
        if not ((on_day or on_weekday) if either else (on_day and on_weekday)):
            at = at.replace(hour=0, minute=0) + timedelta(days=1)
        elif at.hour not in hours:
            at = at.replace(minute=0) + timedelta(hours=1)
        elif at.minute not in minutes:
            at += timedelta(minutes=1)
        else:
            return at
    return None


def _field(text, index, expression):
    low, high = _RANGES[index]
    values = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        try:
            if span == "*":
                first, last = low, high
            else:
                first, _, last = span.partition("-")
                first = _value(first, index)
                last = _value(last, index) if last else (high if step else first)
            every = int(step) if step else 1
        except ValueError:
            raise ValueError(f"{part!r} in the cron expression {expression!r} is not understood") from None
        if not (low <= first <= last <= high and every > 0):
            raise ValueError(f"{part!r} in the cron expression {expression!r} is outside {low} to {high}")
        values.update(range(first, last + 1, every))
    return values


def _value(text, index):
    return _NAMES[index][text] if text in _NAMES[index] else int(text)
