"""Steps that are looked at by column are judged as each of them is by itself, or harder."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "host"))

from wats_host import bridge

NAN, INFINITE = float("nan"), float("inf")


class Text(str):
    """A text that is none of the plain ones."""


ODD_STEPS = {
    "stepType": ["NT", "ET_MNLT", None, 1],
    "group": ["S", "m", None, []],
    "name": ["", " a", "a ", "x" * 101, "a\tb", "a\nb", "a\u00a0", "a | b", 7, None, Text("q"), "ü"],
    "status": ["D", "Passed", "", "PF", True, "F"],
    "numericMeas": [[], {}, None, (), [1], [{}, {}]],
}
ODD_MEASUREMENTS = {
    "name": ["other", "", None, 1],
    "value": [NAN, INFINITE, -INFINITE, "1", True, None, 10**400, 3],
    "unit": [" V", "V ", "x" * 21, None, 3, Text("V"), ""],
    "compOp": ["LOG", "EQ", None],
    "lowLimit": [None, True, NAN, "1", -1],
    "highLimit": [None, INFINITE, []],
    "status": ["F", "D", None],
}


def plain():
    measured = {"value": 1.5, "unit": "V", "compOp": "GELE", "lowLimit": 1, "highLimit": 2.0, "status": "P"}
    return [
        {"stepType": "ET_NLT", "group": "M", "name": name, "status": "P", "numericMeas": [{"name": name, **measured}]}
        for name in ("a", "b c", "d")
    ]


class Columns(unittest.TestCase):
    def judged(self, steps):
        if not bridge._are_plain(steps):
            return False
        self.assertTrue(all(map(bridge._is_plain, steps)), steps)
        return True

    def test_what_is_plain(self):
        self.assertTrue(self.judged(plain()))
        whole = {"name": "d", "value": 3, "unit": "", "lowLimit": -1}
        for name, value in whole.items():
            steps = plain()
            steps[2]["numericMeas"][0][name] = value
            self.assertTrue(self.judged(steps), name)
        for nothing in ([1], ["ab"], [None], [[]]):
            self.assertFalse(self.judged(nothing), nothing)

    def test_what_is_not(self):
        for odd, of in ((ODD_STEPS, lambda step: step), (ODD_MEASUREMENTS, lambda step: step["numericMeas"][0])):
            for name, values in odd.items():
                for value in values:
                    for at in range(3):
                        steps = plain()
                        of(steps[at])[name] = value
                        self.judged(steps)
                steps = plain()
                del of(steps[1])[name]
                self.assertFalse(self.judged(steps), name)
                of(steps[1])["other"] = 1
                self.assertFalse(self.judged(steps), name)


if __name__ == "__main__":
    unittest.main()
