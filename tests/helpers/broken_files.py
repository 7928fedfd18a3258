"""Broken tables, archives and YAML files, each with the line that refuses it."""

from helpers import broken
from helpers.broken import archive, cut
from helpers.broken_images import Case

AGAIN = "cannot be unpacked: ...; download it again"
BY_HAND = "unpack it yourself and give its folder: data.root=PATH"
NO_CLASS = "which is not a class with its colour; ..."
LINE_A_CLASS = "write one line per class, as in `person: [192, 128, 128]`"
THREE_NUMBERS = "; write three whole numbers from 0 to 255, as in [192, 128, 128]"

TABLES = [
    Case(
        "empty.csv",
        lambda: b"",
        "has no column 'ImageID' (columns: none); rename its id column",
    ),
    Case(
        "header.csv",
        lambda: b"ImageId,Note\na,b\n",
        "has no column 'ImageID' (columns: 'ImageId', 'Note'); rename its id column",
    ),
    Case(
        "semicolons.csv",
        lambda: b"ImageID;Note\na;b\n",
        "has no column 'ImageID' (columns: 'ImageID;Note'); rename its id column",
    ),
    Case(
        "two.csv",
        lambda: b"ImageID,ImageID\na,b\n",
        "has more than one column 'ImageID' (columns: 'ImageID', 'ImageID'); rename its id column",
    ),
    Case(
        "latin.csv",
        lambda: "ImageID\nStraße\n".encode("latin-1"),
        "cannot be read as UTF-8 text: ...; save it as UTF-8",
    ),
    Case(
        "utf16.csv",
        lambda: "ImageID\na\n".encode("utf-16"),
        "cannot be read as UTF-8 text: ...; save it as UTF-8",
    ),
    Case(
        "twice.csv",
        lambda: b"ImageID\na\nb\na\n",
        "row 4: id 'a' is in twice.csv row 2 already; drop one",
    ),
    Case(
        "none.csv",
        lambda: b"ImageID,Note\na,x\n,y\n",
        "row 3 has no id; write one or drop the row",
    ),
    Case(
        "up.csv",
        lambda: b"ImageID\n../../etc/passwd\n",
        "row 2: id '../../etc/passwd' points outside the folder; correct it",
    ),
    Case(
        "root.csv",
        lambda: b"ImageID\n/etc/passwd\n",
        "row 2: id '/etc/passwd' points outside the folder; correct it",
    ),
    Case(
        "drive.csv",
        lambda: b"ImageID\nC:\\x\n",
        "row 2: id 'C:\\\\x' points outside the folder; correct it",
    ),
    Case(
        "nul.csv",
        lambda: b"ImageID\na\0b\n",
        "row 2: id 'a\\x00b' cannot be printed; correct it",
    ),
    Case(
        "quote.csv",
        lambda: b'ImageID\n"a\nb\n',
        "row 3: id 'a\\nb' cannot be printed; correct it",
    ),
    Case(
        "huge.csv",
        lambda: b"ImageID\n" + b"a" * 200_000,
        "line 2: is not CSV: field larger than field limit (131072); correct it",
    ),
]

LISTS = [
    Case(
        "up.txt",
        lambda: b"a\n\n..\\b\n",
        "line 3: id '..\\\\b' points outside the folder; correct it",
    ),
    Case(
        "twice.txt",
        lambda: b"a\nb\nb\n",
        "line 3: id 'b' is in twice.txt line 2 already; drop one",
    ),
    Case(
        "turned.txt",
        lambda: "a\u202eb\n".encode(),
        "line 1: id 'a\\u202eb' cannot be printed; correct it",
    ),
]

ARCHIVES = [
    Case("text.zip", lambda: b"no archive", AGAIN),
    Case("cut.zip", lambda: cut(archive(("a", "b"), ("c", "d")), 0.7), AGAIN),
    Case("content.zip", broken.archive_with_wrong_content, AGAIN),
    Case(
        "up.zip",
        lambda: archive(("good", "1"), ("../evil", "2")),
        "1 member (../evil) would be written outside its folder; do not trust it",
    ),
    Case(
        "root.zip",
        lambda: archive(("/evil", "2")),
        "1 member (/evil) would be written outside its folder; do not trust it",
    ),
    Case(
        "drive.zip",
        lambda: archive(("C:evil", "2")),
        "1 member (C:evil) would be written outside its folder; do not trust it",
    ),
    Case(
        "backslash.zip",
        lambda: archive(("imgs\\imgs\\a.jpg", "2")),
        f"holds 1 member ('imgs\\\\imgs\\\\a.jpg') with backslashes as separators; {BY_HAND}",
    ),
    Case("link.zip", broken.archive_with_link, "holds 1 link (imgs); pack the files instead"),
    Case(
        "password.zip",
        broken.archive_with_password,
        f"holds 1 encrypted member (train.csv); {BY_HAND}",
    ),
    Case(
        "twice.zip",
        lambda: archive(("./a", "1"), ("a", "2")),
        "holds 2 members (./a, a) with the same name up to case; pack each file once",
    ),
    Case(
        "capitals.zip",
        lambda: archive(("imgs/a.JPG", "1"), ("imgs/A.jpg", "2")),
        "holds 2 members (imgs/a.JPG, imgs/A.jpg) with the same name up to case; pack each "
        "file once",
    ),
    Case(
        "bomb.zip",
        broken.archive_of_zeros,
        "would expand from 0.1 MB to 120 MB, more than 100 times; do not trust it, or " + BY_HAND,
    ),
]

CLASS_TABLES = [
    Case("empty.yaml", lambda: b"", f"class table {{path}}: is empty; {LINE_A_CLASS}"),
    Case(
        "list.yaml",
        lambda: b"- ground\n",
        f"class table {{path}}: line 1 is '- ground', {NO_CLASS}",
    ),
    Case(
        "open.yaml",
        lambda: b"a: [0, 0\n",
        f"class table {{path}}: line 1 is ..., {NO_CLASS}",
    ),
    Case(
        "code.yaml",
        lambda: b"a: !!python/object/apply:os.getcwd []\n",
        f"class table {{path}}: line 1 is ..., {NO_CLASS}",
    ),
    Case(
        "date.yaml",
        lambda: b"a: 2001-99-99\n",
        f"class table {{path}}: line 1 is ..., {NO_CLASS}",
    ),
    Case(
        "deep.yaml",
        lambda: b"a: " + b"[" * 5000,
        f"class table {{path}}: line 1 is ..., {NO_CLASS}",
    ),
    Case(
        "laughs.yaml",
        lambda: (
            b"a: &a [1, 1]\n"
            + b"".join(
                b"%c: &%c [%s]\n" % (i, i, b",".join([b"*%c" % (i - 1)] * 9))
                for i in range(98, 122)
            )
        ),
        "{path}: class table: the colour of 'a' is [1, 1]" + THREE_NUMBERS,
    ),
    Case(
        "no.yaml",
        lambda: b"yes: [0, 0, 0]\nno: [1, 1, 1]\n",
        "{path}: class table: the name True is not text in YAML; write it in quotes",
    ),
    Case(
        "escape.yaml",
        lambda: b'"\\e[31mred": [0, 0, 0]\n',
        "{path}: class table: the name '\\x1b[31mred' of id 0 cannot be printed; rename it",
    ),
    Case(
        "twice.yaml",
        lambda: b"car: [1, 1, 1]\ncar: [2, 2, 2]\n",
        "class table {path}: name 'car' appears twice; rename one",
    ),
]

CONFIGS = [
    Case(
        "indent.yaml",
        lambda: b"function:\n  a: 1\n   b: 2\n",
        "conf/indent.yaml: line 3: is not YAML: mapping values are not allowed here",
    ),
    Case(
        "twice.yaml",
        lambda: b"a: 1\na: 2\n",
        "conf/twice.yaml: line 2: has 'a' twice",
    ),
    Case(
        "template.yaml",
        lambda: b"a: 1\nb: {stem}_lab.png\n",
        "conf/template.yaml: line 2: is not YAML: expected <block end>, but found ...; a text that "
        "begins with { needs quotes",
    ),
    Case("latin.yaml", lambda: "a: ß".encode("latin-1"), "conf/latin.yaml: is not YAML: ..."),
    Case("deep.yaml", lambda: b"a: " + b"[" * 5000, "conf/deep.yaml: is not YAML: ..."),
]
