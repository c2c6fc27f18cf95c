"""Curves on a step."""

from enum import Enum

from .model import Field, Model, many, number, one_of, text


class ChartType(str, Enum):
    """Which axes are logarithmic."""

    LINE = "Line"
    LINE_LOG_XY = "LineLogXY"
    LINE_LOG_X = "LineLogX"
    LINE_LOG_Y = "LineLogY"


def _points(value, name):
    """Numbers joined by semicolons, as the format has them."""
    if isinstance(value, str):
        return value
    return ";".join(repr(number(point, name)) for point in value)


class ChartSeries(Model):
    """One curve."""

    FIELDS = (
        Field("data_type", "dataType", "XYG", text),
        Field("name", check=text),
        Field("x_data", "xdata", check=_points),
        Field("y_data", "ydata", check=_points),
    )


class Chart(Model):
    """A chart with its axes and curves."""

    FIELDS = (
        Field("chart_type", "chartType", ChartType.LINE, one_of(ChartType)),
        Field("label", default="", check=text),
        Field("x_label", "xLabel", "", text),
        Field("x_unit", "xUnit", "", text),
        Field("y_label", "yLabel", "", text),
        Field("y_unit", "yUnit", "", text),
        Field("series", default=list, check=many(ChartSeries)),
    )

    def add_series(self, name, x_data=None, y_data=None, data_type="XYG", **other):
        x_data = other.get("xdata") if x_data is None else x_data
        y_data = other.get("ydata") if y_data is None else y_data
        series = ChartSeries(name=name, x_data=x_data, y_data=y_data, data_type=data_type)
        self.series.append(series)
        return series
