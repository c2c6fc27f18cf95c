"""Plays a test station's day with the published Python client against a WATS server.

Usage: story.py URL TOKEN. Ends with 0 when the client was content with every answer.
"""

import sys
import uuid

from pywats import AuthenticationError, CompOp, pyWATS

BREAKS_A_RULE = "Status cannot be different from measurement status."


def passing_report(client):
    """A test with every kind of step that the client can build."""
    report = client.report.create_uut_report(
        operator="op", part_number="PCB-1", revision="A", serial_number="PY-1", operation_type=10,
        station_name="ST1", location="Lab", purpose="Production",
    )
    report.add_misc_info(description="Fixture", value="F-7")
    report.add_sub_unit(part_type="Module", pn="MOD-1", rev="1", sn="M-1")
    root = report.get_root_sequence_call()
    root.add_numeric_step(
        name="Voltage", value=5.01, unit="V", comp_op=CompOp.GELE, low_limit=4.9, high_limit=5.1, status="P")
    several = root.add_multi_numeric_step(name="Currents", status="P")
    several.add_measurement(name="idle", value=0.1, unit="A", status="P", comp_op=CompOp.LT, low_limit=0.2)
    several.add_measurement(name="load", value=1.1, unit="A", status="P", comp_op=CompOp.LOG)
    root.add_string_step(name="Version", value="1.2", comp_op=CompOp.EQ, limit="1.2", status="P")
    root.add_boolean_step(name="Lamp", status="P")
    below = root.add_sequence_call(name="Radio", file_name="radio.seq", version="1.0")
    below.add_numeric_step(name="Power", value=-3.5, unit="dBm", comp_op=CompOp.LOG, status="P")
    root.add_generic_step(step_type="NI_Wait", name="Pause", status="D")
    return report


def check_version_and_processes(client):
    version = client.get_version()
    assert str(version).strip('"').count(".") == 3, version
    assert client.test_connection()
    assert client.process.is_valid_test_operation(10)
    assert client.process.is_valid_repair_operation(500)
    assert not client.process.process_exists(4711)
    assert client.process.get_process_by_name("SW Debug").code == 10
    assert client.process.get_processes_detailed()
    assert client.process.get_repair_categories(500)


def check_test_report(client):
    report = passing_report(client)
    for _ in range(2):
        answered = client.report.submit(report)
        assert uuid.UUID(str(answered)) == uuid.UUID(str(report.id)), answered
    headers = client.report.get_headers_by_serial("PY-1")
    assert len(headers) == 1, headers
    header = headers[0]
    assert str(header.uuid).lower() == str(report.id).lower(), header
    assert header.part_number == "PCB-1" and header.process_code == 10, header
    assert header.receive_count == 2, header
    assert len(client.report.get_headers_by_part_number("PCB-1", top=5)) == 1
    assert client.report.get_headers_by_serial("NOBODY") == []
    back = client.report.get_report(str(report.id))
    assert back.sn == "PY-1" and back.pn == "PCB-1", back
    assert back.process_name == "SW Debug", back.process_name
    names = [step.name for step in back.get_root_sequence_call().steps]
    assert names == ["Voltage", "Currents", "Version", "Lamp", "Radio", "Pause"], names
    return report


def check_repair(client, tested):
    repair = client.report.create_uur_from_uut(tested, operator="fixer", comment="replaced")
    repair.sub_units[0].add_failure(category="Component", code="Burned Component", comment="burnt", com_ref="R1")
    answered = client.report.submit(repair)
    assert uuid.UUID(str(answered)) == uuid.UUID(str(repair.id)), answered
    back = client.report.get_report(str(repair.id))
    assert back.type == "R" and back.sn == "PY-1", back
    headers = client.report.query_uur_headers(odata_filter="serialNumber eq 'PY-1' and reportType eq 'R'")
    assert [str(header.uuid).lower() for header in headers] == [str(repair.id).lower()], headers


def check_rejection(client):
    report = passing_report(client)
    report.get_root_sequence_call().steps[0].status = "F"
    try:
        client.report.submit(report)
    except Exception as error:
        assert BREAKS_A_RULE in str(error), error
        assert "step Voltage" in str(error), error
    else:
        raise AssertionError("a report that breaks a rule was taken")


def check_wrong_credential(url):
    client = pyWATS(base_url=url, token="c3RyYW5nZXI6d3Jvbmc=")
    try:
        client.process.get_processes()
    except AuthenticationError:
        return
    raise AssertionError("a wrong credential was taken")


def main(url, token):
    client = pyWATS(base_url=url, token=token)
    check_version_and_processes(client)
    tested = check_test_report(client)
    check_repair(client, tested)
    check_rejection(client)
    check_wrong_credential(url)
    print("pywats is content")


if __name__ == "__main__":
    main(*sys.argv[1:])
