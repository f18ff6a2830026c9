"""The DSL is read as Structurizr reads it: the same elements, or one sentence with the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import archcheck

from archcheck import External, Person, PostgreSQL, Service, SpringBoot, Topic
from archcheck.importing import Import, SourceFile, import_paths
from archcheck.importing.structurizr.dsl import read_dsl
from archcheck.importing.structurizr.dsl.reader import MAX_INCLUDES_DEEP
from archcheck.importing.values import Value
from archcheck.model import ModelError

SAMPLE = Path(__file__).parent / "catalogue_samples" / "bookshop.dsl"


def written(folder: Path, text: str, name: str = "shop.dsl") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def model(text: str) -> str:
    return f"workspace {{\nmodel {{\n{text}\n}}\n}}\n"


def edges(found: Import) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in found.joined.edges}


def remarks(found: Import) -> list[str]:
    return [remark.sentence for remark in found.joined.remarks]


def arrows(path: Path) -> list[tuple[str, str, str, bool]]:
    """All relationships of a workspace: their ends, their description, whether they are implied."""
    document, _ = read_dsl(SourceFile(path, path.parent, named=True))
    names: dict[str, str] = {}
    found: list[tuple[str, Value]] = []

    def walk(value: Value) -> None:
        if value.has("id") and value.has("name"):
            names[value.need("id").text] = value.need("name").text
            found.extend((value.need("id").text, r) for r in value.each("relationships"))
        for key, inner in value.items():
            if inner.is_list and key != "relationships":
                for each in inner.each():
                    walk(each)

    walk(document.need("model"))
    return [
        (
            names[source],
            names[each.need("destinationId").text],
            each.need("description").text if each.has("description") else "",
            each.has("linkedRelationshipId"),
        )
        for source, each in found
    ]


def test_what_a_workspace_says_is_in_the_model() -> None:
    found = import_paths([SAMPLE])
    system = found.system
    assert system.name == "Bookshop"
    kinds = {element.name: type(element) for element in system.elements}
    assert kinds == {
        "Reader": Person,
        "Web": Service,
        "Books": PostgreSQL,
        "Orders": Topic,
        "Bank": External,
    }
    web, books, reader = (system.find(name) for name in ("Web", "Books", "Reader"))
    assert isinstance(web, Service)
    assert isinstance(books, PostgreSQL)
    assert isinstance(reader, Person)
    assert web.boundary == "Shop"
    assert web.owner == "team-web"
    assert web.runtime == SpringBoot("3.2")
    assert web.tags == ("Front", "Public", "Ours")
    assert web.docs == "https://shop.example/docs"
    assert web.description == 'Shows "books" to readers [Java and Spring Boot 3.2]'
    assert (books.version, books.owner, books.tags) == ("14", "data", ("Store", "Ours"))
    assert reader.uses == ("Web.use",)
    assert edges(found) == {("Web", "Books"), ("Web", "Bank"), ("Web", "Orders")}
    assert web.site is not None
    assert web.site.place.line == 29
    listed = remarks(found)
    for words in ("environments Live", "Van is a custom element", "perspective Security",
                  "Web -> Orders: an edge has no word for its tag Async, property topic",
                  "views, configuration of the workspace"):  # fmt: skip
        assert [each for each in listed if words in each], words


def test_who_holds_an_end_has_the_relationship_as_well(tmp_path: Path) -> None:
    text = """
        a = softwareSystem "A" {
            x = container "X" {
                c = component "C"
            }
        }
        b = softwareSystem "B" {
            y = container "Y"
        }
        a -> b "says more"
        c -> y "asks"
    """
    assert set(arrows(written(tmp_path, model(text)))) == {
        ("A", "B", "says more", False),
        ("C", "Y", "asks", False),
        ("C", "B", "asks", True),
        ("X", "Y", "asks", True),
        ("X", "B", "asks", True),
        ("A", "Y", "asks", True),
    }
    plain = written(tmp_path, model(f"!impliedRelationships false\n{text}"))
    assert {arrow[3] for arrow in arrows(plain)} == {False}


def test_identifiers_are_read_from_inside_out(tmp_path: Path) -> None:
    text = """
        !identifiers hierarchical
        a = softwareSystem "A" {
            api = container "A's"
            web = container "W"
            web -> api
        }
        b = softwareSystem "B" {
            api = container "B's"
            web = container "V" {
                -> api "own"
                this -> A.API "other"
            }
        }
    """
    found = arrows(written(tmp_path, model(text)))
    assert {arrow[:3] for arrow in found if not arrow[3]} == {
        ("W", "A's", ""),
        ("V", "B's", "own"),
        ("V", "A's", "other"),
    }


def test_files_of_a_folder_are_put_together(tmp_path: Path) -> None:
    base = written(tmp_path, 'workspace "Base" {\nmodel {\n!include parts\n}\n}', "base.dsl")
    written(tmp_path, '\ufeffa = softwareSystem "A"', "parts/1.dsl")
    written(tmp_path, 'b = softwareSystem "B"\na -> b "calls"', "parts/deep/2.dsl")
    written(tmp_path, "not the language", "parts/.hidden.dsl")
    child = written(
        tmp_path,
        "workspace extends base.dsl {\nname Child\nmodel {\n!element a {\nurl https://a.example\n}\n"
        'c = softwareSystem "C"\nc -> a\n}\n}',
        "child.dsl",
    )
    found = import_paths([tmp_path])
    assert found.system.name == "Child"
    assert edges(found) == {("A", "B"), ("C", "A")}
    assert dict(found.skipped) == {str(base): "is read as a part of child.dsl"}
    assert [Path(file.path) for file in found.files] == [child]
    assert edges(import_paths([base])) == {("A", "B")}


def test_a_workspace_in_json_is_extended(tmp_path: Path) -> None:
    written(
        tmp_path,
        """{"name": "Base", "model": {"softwareSystems": [
        {"id": "1", "name": "A", "tags": "Core", "properties": {"structurizr.dsl.identifier": "a"},
         "relationships": [{"id": "3", "destinationId": "2", "description": "asks"}]},
        {"id": "2", "name": "B"}]}}""",
        "base.json",
    )
    child = written(
        tmp_path,
        'workspace extends base.json {\nmodel {\nc = softwareSystem "C"\nc -> a\n'
        '!element "SoftwareSystem://B" {\ntags "Old"\n}\n}\n}',
    )
    found = import_paths([child])
    assert edges(found) == {("A", "B"), ("C", "A")}
    tags = {element.name: element.tags for element in found.system.services}
    assert tags == {"A": ("Core",), "B": ("Old",), "C": ()}


def test_what_was_exported_beside_it_is_not_read_again(tmp_path: Path) -> None:
    written(tmp_path, model('a = softwareSystem "A"'), "workspace.dsl")
    exported = '{"name": "x", "model": {"softwareSystems": [{"id": "1", "name": "Older"}]}}'
    path = written(tmp_path, exported, "workspace.json")
    found = import_paths([tmp_path])
    assert [element.name for element in found.system.elements] == ["A"]
    assert dict(found.skipped) == {str(path): "is workspace.dsl beside it, exported"}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("!script danger.groovy", "the script 'danger.groovy' is not run"),
        ("!script groovy {\nSystem.exit(1)\n}", "the script 'groovy' is not run"),
        ("!plugin com.example.Danger {\na b\n}", "the plugin 'com.example.Danger' is not run"),
        ("!include https://example.com/more.dsl", "https://example.com/more.dsl is not fetched"),
    ],
)
def test_what_leads_out_is_not_followed_and_said(tmp_path: Path, statement: str, said: str) -> None:
    path = written(tmp_path, model(f'{statement}\na = softwareSystem "A"'))
    shown = archcheck("import", path, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert f"shop.dsl:3: {said}" in shown.stdout
    lost = written(tmp_path, model(f'{statement}\na = softwareSystem "A"\na -> elsewhere'))
    with pytest.raises(ModelError, match=r"it may come from .* \(line 3\)"):
        import_paths([lost])


def test_documentation_is_no_part_of_a_model(tmp_path: Path) -> None:
    path = written(tmp_path, 'workspace {\n!docs docs\n!adrs adrs\nmodel {\nperson "P"\n}\n}')
    assert [each for each in remarks(import_paths([path])) if "documentation" in each]


def test_variables_of_the_environment_are_not_read(tmp_path: Path) -> None:
    path = written(tmp_path, model('a = softwareSystem "A ${HOME}"'))
    found = import_paths([path])
    assert [element.name for element in found.system.elements] == ["A --HOME"]
    assert [each for each in remarks(found) if "${HOME} is no constant" in each]


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ('person "A"', 1, "must begin with: workspace"),
        ("workspace {\n}\nmore", 3, "nothing may follow the workspace"),
        ("workspace {\n}\nworkspace {\n}", 3, "a second 'workspace'"),
        ("workspace {\nmodel {\n}\nmodel {\n}\n}", 4, "a second 'model'"),
        ("workspace {\nmodle {\n}\n}", 2, "did you mean 'model'"),
        ("workspace {\nmodel {", 2, "this brace is not closed"),
        ("workspace {\n}\n}", 3, "'}' closes nothing"),
        ("workspace {\n/* all\nmodel {", 1, "ends inside of a comment"),
        (model("component C"), 3, "may stand in 'model'; there may be archetypes"),
        (model("person"), 3, "too few words, it must be: person <name>"),
        (model("person a b c d"), 3, "too many words"),
        (model("person A\nperson A"), 4, r"a person 'A' here already \(line 3\)"),
        (model("a = person A\na = person B"), 4, "the identifier 'a' is taken"),
        (model("a.b = person A"), 3, "an identifier has letters"),
        (model("a = person A\na -> bb"), 4, "no destination 'bb'"),
        (model("web = person A\nwbe -> web"), 4, "did you mean 'web'"),
        (model("a = person A\nb = person B\na -> b\na -> b"), 6, "is there already"),
        (model("s = softwareSystem S {\nc = container C\n}\ns -> c"), 6, "one holds the other"),
        (model('s = softwareSystem S {\ngroup "G" {\nurl https://x.example\n}\n}'), 5, "a group"),
        (model("group G"), 3, "a group must be: group <name> {"),
        (model("group G {\ngroup H {\n}\n}"), 4, "structurizr.groupSeparator"),
        (model("!const a 1\n!const a 2"), 4, "a constant 'a' already"),
        (model("!constant a 1"), 3, "use !const"),
        (model("enterprise E {\n}"), 3, "use group"),
        (model("a = person A {\nurl nowhere\n}"), 4, "'nowhere' is no URL"),
        (model("a = person A {\nproperties {\nx\n}\n}"), 5, "a property must be"),
        (model("!elements element.tag==X {\n}"), 3, "no elements of the expression"),
        (model("!include missing.dsl"), 3, "there is no file 'missing.dsl'"),
        (model("!include ../secret.dsl"), 3, "lies outside of"),
        (model("!include shop.dsl"), 1, "a second|may stand"),
        ("workspace extends https://x.example/a.dsl {\n}", 1, "which is not fetched"),
        ("workspace extends shop.dsl {\n}", 1, f"more than {MAX_INCLUDES_DEEP} deep"),
        ("workspace {\nviews {\nsystemContext x {\n}\n}\n}", 3, "no element 'x'"),
        (model("a = person A \\\n{\nb = person B\n}"), 5, "may stand in 'person'"),
    ],
)
def test_what_structurizr_refuses_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence) as error:
        import_paths([written(tmp_path, text)])
    assert error.value.place is not None
    assert error.value.place.line == line


def test_in_a_folder_a_workspace_that_is_wrong_is_left_out(tmp_path: Path) -> None:
    written(tmp_path, model('a = softwareSystem "A"'), "good.dsl")
    wrong = written(tmp_path, model("!include part.inc"), "wrong.dsl")
    part = written(tmp_path, "\nnonsense", "part.inc")
    found = import_paths([tmp_path])
    assert [element.name for element in found.system.elements] == ["A"]
    (reason,) = [why for path, why in found.skipped if path == str(wrong)]
    assert reason.startswith(f"{part}, line 2: 'nonsense' is nothing that may stand in 'model'")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (model("!const a 12345678\n" + '!var a "${a}${a}"\n' * 3), "a constant 'a' already"),
        (model('!var a "1234567890"\n' + '!var a "${a}${a}"\n' * 40), "more than 100,000 letters"),
        (model("!include x.inc\n" * 2), "include each other more than"),
        (model('!elements "' + "->" * 300 + '"'), "inside each other"),
        (model('!elements "' + "element==" * 300 + 'a"'), "inside each other"),
        ("{" * 100_000, "must begin with"),
    ],
)
def test_small_texts_that_stand_for_much_are_refused(
    tmp_path: Path, text: str, sentence: str
) -> None:
    written(tmp_path, "!include x.inc\n!include x.inc", "x.inc")
    with pytest.raises(ModelError, match=sentence):
        import_paths([written(tmp_path, text)])


def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    shown = [archcheck("import", SAMPLE, "-o", "-", cwd=tmp_path).stdout for _ in range(2)]
    assert shown[0] == shown[1] != ""
