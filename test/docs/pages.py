#!/usr/bin/env python3
"""Whether the pages can be read, and what they name is there: pages.py ROOT [PAGE...]

Without pages: README.md, docs/ and the other pages of the tree. Prints every offender as FILE:LINE: error: WHAT, and
fails if there is one.

  sentences   A page's median is at most 18 words, and at most one sentence in twenty has more than 40. Tables, code and
              headings are no prose; an item of a list is a paragraph; `code` and a link's target count as one word.
  links       Targets of [text](target#heading) exist, the heading too. Addresses on the web are not asked for.
  paths       A `path/like/this.cpp` whose first folder is one of ours exists; so does a `File.cpp` without folder,
              anywhere. * stands for any name. What is made (`build/`) and what is an example's (<Name>, `net.resin`)
              is not asked for, and pages of docs/history/ may name what is gone.
  map         docs/Architecture.md names every folder of sources.
"""

import fnmatch
import pathlib
import re
import statistics
import sys

MEDIAN, LONG, SHARE = 18, 40, 0.05
EXAMPLES = {"net.resin"}  # a user's file, in commands

FENCE = re.compile(r"^\s*(```|~~~)")
ITEM = re.compile(r"^\s*([*+-]|\d+\.)\s+")
LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')*_]*\s+(?=[\"'(*_]*[A-Z0-9`])")
ABBREVIATIONS = ("e.g.", "i.e.", "cf.", "vs.", "etc.")
FILE_NAME = re.compile(r"^[A-Za-z0-9_.-]+\.(?:cpp|h|td|py|sh|cmake|mlir|test|resin|tsv|md|svg)$")
PLACEHOLDER = re.compile(r"\.\.\.|NAME|FILE|DIR")


def without_code(text):
    """The lines of a page with fenced and indented code blanked, so that line numbers stay."""
    lines, fenced, blank, indented, in_list = [], False, True, False, False
    for line in text.split("\n"):
        if FENCE.match(line):
            fenced = not fenced
            lines.append("")
            continue
        in_list = bool(ITEM.match(line)) or (in_list and (not line.strip() or line.startswith("  ")))
        indented = line.startswith("    ") and not in_list and (blank or indented)
        blank = not line.strip()
        lines.append("" if fenced or indented else line)
    return lines


def paragraphs(lines):
    """(line, text) of each paragraph and item of a list; no headings, tables, rules or pictures."""
    start, kept = None, []
    for number, line in enumerate(lines + [""], 1):
        bare = line.strip()
        ends = not bare or bare.startswith(("#", "|", "<", "![", "---"))
        if kept and (ends or ITEM.match(line)):
            yield start, "\n".join(kept)
            kept = []
        if ends:
            continue
        if not kept:
            start = number
        kept.append(ITEM.sub("", line))


def sentences(lines):
    """(line, words) of each sentence of the prose."""
    for start, text in paragraphs(lines):
        text = LINK.sub(lambda link: link.group(1) + "\n" * link.group(0)[len(link.group(1)):].count("\n"), text)
        text = CODE.sub(lambda code: "Code" + "\n" * code.group(2).count("\n"), text)
        for abbreviation in ABBREVIATIONS:
            text = text.replace(abbreviation, abbreviation.replace(".", ""))
        at = 0
        for end in [match.start() for match in SENTENCE_END.finditer(text)] + [len(text)]:
            sentence = text[at:end]
            words = [word for word in sentence.split() if re.search(r"\w", word)]
            if words:
                lead = len(sentence) - len(sentence.lstrip())
                yield start + text.count("\n", 0, at + lead), words
            at = end


def check_sentences(page, lines):
    found = list(sentences(lines))
    if not found:
        return
    median = statistics.median(len(words) for _, words in found)
    if median > MEDIAN:
        line, longest = max(found, key=lambda sentence: len(sentence[1]))
        yield (f"{page}:{line}: error: the median sentence of this page has {median:g} words, more than {MEDIAN}; "
               f"here is the longest, of {len(longest)}")
    long = [(line, words) for line, words in found if len(words) > LONG]
    for line, words in long if len(long) > SHARE * len(found) else []:
        yield (f"{page}:{line}: error: a sentence of {len(words)} words, '{' '.join(words[:6])} ...': "
               f"{len(long)} of {len(found)} have more than {LONG}, and one in twenty may")


def slug(heading):
    """A heading's address, as GitHub makes it."""
    heading = LINK.sub(lambda link: link.group(1), heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def headings(file):
    found, seen = set(), {}
    for line in without_code(file.read_text()):
        match = re.match(r"^#{1,6}\s+(.*?)\s*#*$", line)
        if match:
            name = slug(match.group(1))
            found.add(f"{name}-{seen[name]}" if name in seen else name)
            seen[name] = seen.get(name, 0) + 1
    return found


def found_in(pattern, lines):
    return ((number, match) for number, line in enumerate(lines, 1) for match in pattern.finditer(line))


def check_links(root, page, lines):
    for number, link in found_in(LINK, [CODE.sub("", line) for line in lines]):
        target, _, heading = link.group(2).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (root / page).parent / target if target else root / page
        if not file.exists():
            yield f"{page}:{number}: error: the link leads to '{target}', which is not there"
        elif heading and heading not in headings(file):
            yield f"{page}:{number}: error: '{target or page}' has no heading '#{heading}'"


class Tree:
    """The files of the tree that are not made."""

    def __init__(self, root):
        self.root = root
        self.paths = {entry.name for entry in root.iterdir()}
        self.folders = {name for name in self.paths if (root / name).is_dir() and not name.startswith((".", "build"))}
        for folder in self.folders:
            self.paths |= {file.relative_to(root).as_posix() for file in (root / folder).rglob("*")}
        self.names = {path.rsplit("/", 1)[-1] for path in self.paths}

    def lacks(self, path):
        """Whether `path` names what should be in the tree and is not. A source file may lack its ending."""
        first, slash, _ = path.partition("/")
        if not slash:
            return FILE_NAME.match(path) is not None and path not in EXAMPLES and path not in self.names
        if first not in self.folders:
            return False
        names = [path.rstrip("/") + ending for ending in ("", ".h", ".cpp", ".td")]
        return not any(name in self.paths or fnmatch.filter(self.paths, name) for name in names)


def check_paths(tree, page, lines):
    for number, code in found_in(CODE, lines):
        for path in re.split(r"[\s,]+", code.group(2)):
            path = path.strip("'\"();:")
            if re.fullmatch(r"[\w./*-]+", path) and not PLACEHOLDER.search(path) and tree.lacks(path):
                yield f"{page}:{number}: error: `{path}` is not there"


def check_map(tree, page, text):
    """Whether the map of the tree has every folder with sources, tests' own folders aside."""
    sources = {path.rpartition("/")[0] for path in tree.paths if path.endswith((".cpp", ".td"))}
    for folder in sorted(folder for folder in sources if folder.partition("/")[0] not in ("", "test")):
        if f"`{folder}/" not in text:
            yield f"{page}:1: error: no word of `{folder}/` on this page, which has the map of the tree"


def pages_of(root):
    others = [root / name for name in ("README.md", "benchmarks/README.md", "test/emulated/README.md")]
    for file in [*others, *sorted((root / "docs").rglob("*.md"))]:
        if file.exists():
            yield file.relative_to(root).as_posix()


def check(root, page, tree):
    text = (root / page).read_text()
    lines = without_code(text)
    yield from check_sentences(page, lines)
    yield from check_links(root, page, lines)
    if not page.startswith("docs/history/"):
        yield from check_paths(tree, page, lines)
    if page == "docs/Architecture.md":
        yield from check_map(tree, page, text)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    tree = Tree(root)
    offenders = [line for page in sys.argv[2:] or pages_of(root) for line in check(root, page, tree)]
    print("\n".join(offenders) or "every page reads well, and what it names is there")
    sys.exit(1 if offenders else 0)


if __name__ == "__main__":
    main()
