# SPDX-License-Identifier: Apache-2.0
"""failures.py LOG: of a run of meson's (testlog.json), the last words of each test that failed."""
import json
import sys

for line in open(sys.argv[1], encoding="utf-8"):
    test = json.loads(line)
    if test["result"] in ("FAIL", "TIMEOUT", "ERROR", "UNEXPECTEDPASS"):
        print(f"---- {test['name']}: {test['result']} after {test['duration']:.0f} s")
        for words in ("stdout", "stderr"):
            print(test.get(words, "")[-4000:])
