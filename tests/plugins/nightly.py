import asyncio
import sqlite3
from datetime import timedelta

from pywats.tools.report_builder import ReportBuilder
from pywats_client.converters import ArgumentDefinition, ArgumentType, ConverterResult, ScheduledConverter


class Nightly(ScheduledConverter):
    name = "Nightly database"

    @property
    def schedule_interval(self):
        return timedelta(hours=6)

    @property
    def run_on_startup(self):
        return True

    @property
    def arguments_schema(self):
        return {"rows": ArgumentDefinition(arg_type=ArgumentType.INTEGER, default=2)}

    async def run(self, context):
        database = sqlite3.connect(":memory:")
        database.execute("create table test (serial text, value real)")
        count = context.get_argument("rows")
        database.executemany("insert into test values (?, ?)", [(f"S{n}", n) for n in range(count)])
        await asyncio.sleep(0)
        results = []
        for serial, value in database.execute("select serial, value from test"):
            builder = ReportBuilder(part_number="P", serial_number=serial, station_name="DB", operator="nobody")
            builder.add_step("Value", value, unit="V", low_limit=0, high_limit=0.5)
            builder.add_step("Lamp", True, group="Visual")
            results.append(ConverterResult.success_result(report=builder.build(), source=None, source_id=serial))
        results.append(ConverterResult.failed_result("one row is torn"))
        database.close()
        return results

    def on_run_complete(self, results, context):
        context.log_info(f"{len(results)} results")
