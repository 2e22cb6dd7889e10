#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""details.py SOURCE: every detail of a problem that the web front, the JSON decoder or the terms of a contract can give stands in src/web/detail.c, in both languages."""
import glob
import re
import sys

LITERAL = r'"((?:[^"\\]|\\.)*)"'


def calls(text, names):
    """The arguments of the calls, with literals that stand beside each other joined."""
    for m in re.finditer(r'\b(?:%s)\(' % '|'.join(names), text):
        depth, at = 1, m.end()
        while depth and at < len(text):
            quoted = re.match(LITERAL + r"|'(?:\\.|[^'\\])'", text[at:], re.S)
            if quoted:
                at += quoted.end()
                continue
            depth += {'(': 1, ')': -1}.get(text[at], 0)
            at += 1
        yield re.sub(r'"\s+"', '', re.sub(r'"\s*PRI\w+\s*"', 'd', text[m.end():at - 1]))


def read(path):
    return re.sub(r'/\*.*?\*/', '', open(path, encoding='utf-8').read(), flags=re.S)


def main(source):
    table = dict(re.findall(r'^    \{%s, %s\},$' % (LITERAL, LITERAL), read(source + '/src/web/detail.c'), re.M))
    files = sorted(glob.glob(source + '/src/web/*.c'))
    said = [(f, t) for f in files for c in calls(read(f), ['req_fail', 'arg_bad']) for t in re.findall(LITERAL, c)]
    said += [(f, t) for f in (source + '/src/wire/decode.c', source + '/src/wire/json.c') for c in calls(read(f), ['fail', 'wire_fail', 'json_fail'])
             for t in re.findall(LITERAL, c)]
    # Words that a handler hands on: a sentence is no name.
    said += [(f, t) for f in files if not re.search('doc|sheet', f) for t in re.findall(r'return %s;' % LITERAL, read(f)) if ' ' in t]
    terms = source + '/src/core/split_terms.c'
    said += [(terms, t) for t in re.findall(LITERAL, read(terms)) if ' ' in t]
    missing = 0
    looked = 0
    for f, t in said:
        form = re.sub(r'%(?:\.\*|l*)?z?[a-z]+', '*', t)
        if not t or t[0] in '/?' or not re.search('[A-Za-z]', form) or re.fullmatch(r'[*/: ]+', form):
            continue
        looked += 1
        if form not in table:
            print('%s: "%s" has no Chinese in src/web/detail.c' % (f[len(source) + 1:], t))
            missing += 1
    for en, zh in table.items():
        if en.count('*') != zh.count('*') or not re.search('[\u4e00-\u9fff]', zh):
            print('src/web/detail.c: "%s" and "%s" do not fit' % (en, zh))
            missing += 1
    print('%d details looked at, %d wrong' % (looked, missing))
    return 1 if missing or looked < 100 else 0


sys.exit(main(sys.argv[1]))
