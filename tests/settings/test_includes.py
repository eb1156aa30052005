# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that the configuration, the users file and the file of lists include."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ConfigError
from amiproxy.settings.aclfile import load_acls
from amiproxy.settings.conffile import examine_config, load_config
from amiproxy.settings.config import Config
from amiproxy.settings.usersfile import load_users

if TYPE_CHECKING:
    from pathlib import Path

    from amiproxy.access.user import Users


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A directory with an empty conf.d."""
    (tmp_path / "conf.d").mkdir()
    return tmp_path


def write(top: Path, **files: str) -> Path:
    """Write *files*, ``conf_d__10_conf`` is conf.d/10.conf, into *top*; return the first."""
    paths = []
    for name, text in files.items():
        path = top / name.replace("__", "/").replace("_d/", ".d/").replace("_", ".")
        path.write_bytes(text.encode("latin-1"))
        paths.append(path)
    return paths[0]


def problems(path: Path) -> list[str]:
    """Return what is wrong with the configuration *path*, without the directory."""
    return [line.replace(f"{path.parent}/", "") for line in examine_config(path, "/").problems]


def users(path: Path) -> Users:
    """Return the users of *path*, about which nothing is said."""
    found, warnings = load_users(path)
    assert warnings == []
    return found


def complaint(path: Path) -> str:
    """Return what is wrong with the users file *path*, without the directory."""
    with pytest.raises(ConfigError) as caught:
        load_users(path)
    return str(caught.value).replace(f"{path.parent}/", "")


# -- astmanproxy.conf --------------------------------------------------------------------


def test_lines_of_included_files_stand_in_the_place_of_the_line(top: Path) -> None:
    """Files in the order of their names; what is repeated later counts; host adds up."""
    main = write(
        top,
        a_conf="host = a,1,u,s,on\nlistenport = 1\nInclude = conf.d/*.conf ; all\nmaxclients = 7\n",
        conf_d__20_conf="host = c,1,u,s,on\nlistenport = 3\nmaxclients = 8\n",
        conf_d__10_conf="\xef\xbb\xbfhost = b,1,u,s,on\nlistenport = 2\n",
        conf_d__30_conf_bak="listenport = 4\n",
    )

    config, warnings = load_config(main)

    assert warnings == []
    assert [one.host for one in config.servers] == ["a", "b", "c"]
    assert (config.listen_port, config.max_clients) == (3, 7)
    assert config.where["listen_port"] == f"{top}/conf.d/20.conf:2"
    assert config.where["max_clients"] == f"{main}:4"
    assert config.server_places[1:] == (f"{top}/conf.d/10.conf:1", f"{top}/conf.d/20.conf:1")
    assert config.files == (f"{top}/conf.d/10.conf", f"{top}/conf.d/20.conf")


def test_messages_name_the_file_and_line_they_are_about(top: Path) -> None:
    """Of the one that includes it, too, behind the line that does."""
    main = write(
        top,
        a_conf="\ninclude = conf.d/x.conf\nlistenport = y\nauthrequired = no\n",
        conf_d__x_conf="; one\nlistenport = x\nauthrequired = yes\n",
    )

    _, found, warnings = examine_config(main, "/")

    assert [line.partition(": ")[0] for line in found] == [f"{top}/conf.d/x.conf:2", f"{main}:3"]
    assert warnings == [f"{main}:4: authrequired: is here twice, this line counts"]


def test_a_pattern_may_find_nothing_and_a_name_must(top: Path) -> None:
    """The directory is empty at first."""
    assert problems(write(top, a_conf="include = conf.d/*.conf\ninclude = none.d/*.conf\n")) == []
    assert problems(write(top, a_conf="\ninclude = conf.d/x.conf\n")) == [
        "a.conf:2: include: there is no file conf.d/x.conf"
    ]


def test_paths_start_at_the_file_that_names_them(top: Path) -> None:
    """Wherever the proxy is started; an absolute one is one; blanks need quotes."""
    main = write(
        top,
        a_conf=f'include = conf.d/x.conf\ninclude = "{top}/My File"\n',
        conf_d__x_conf="include = y.conf\n",
        conf_d__y_conf="listenport = 5\n",
    )
    (top / "My File").write_text("maxclients = 6\n")
    config = load_config(main)[0]

    assert (config.listen_port, config.max_clients) == (5, 6)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("include = My File", "write one path"),
        ("include =", "write one path"),
        ("include = x;y", "write one path"),
        ('include = "x', "write one path"),
        ("include = ; x", "; or # begins a comment"),
        ("include conf.d/*.conf", 'write "include = value"'),
        ("includes = x", "is include meant?"),
        ("include = x\0y", "control character"),
        ("include = conf.d", "is not a regular file"),
        ("include = pipe", "is not a regular file"),
        ("include = a.conf", "includes itself"),
        ("include = ./conf.d/../link", "includes itself"),
        ("include = *.conf", "includes itself"),
    ],
)
def test_a_line_that_cannot_be_followed_is_a_problem(top: Path, line: str, said: str) -> None:
    """With its place; what it was to include may be what closes the proxy."""
    os.mkfifo(top / "pipe")
    (top / "link").symlink_to("a.conf")

    [problem] = problems(write(top, a_conf=f"\n{line}\n"))

    assert problem.startswith("a.conf:2: ")
    assert said in problem


def test_files_that_include_each_other_are_a_problem(top: Path) -> None:
    """The line that would begin anew is named."""
    main = write(top, a_conf="include = b.conf\n", b_conf="\ninclude = a.conf\n")

    assert problems(main) == [
        "b.conf:2: include: a.conf includes itself; take out one of the lines"
    ]


def test_a_file_may_be_included_twice(top: Path) -> None:
    """As what two others share; that is no loop."""
    assert problems(write(top, a_conf="include = b\ninclude = b\n", b="maxclients = 1\n")) == []


def test_depth_and_number_of_files_are_limited(top: Path) -> None:
    """Ten deep, as in Asterisk; a thousand in all, or a few lines would include billions."""
    for depth in range(12):
        (top / f"{depth}").write_text(f"include = {depth + 1}\n")
    (top / "12").write_text("")
    [problem] = problems(top / "0")
    assert problem == "10:1: include: 11 is more than 10 files deep"

    for depth in range(9):
        (top / f"{depth}").write_text(f"include = {depth + 1}\n" * 10)
    (top / "9").write_text("")
    assert "include: more than 1000 files" in problems(top / "0")[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem(top: Path) -> None:
    """At SIGHUP, as proc_user."""
    main = write(top, a_conf="include = b.conf\n", b_conf="")
    (top / "b.conf").chmod(0)

    assert problems(main) == ["a.conf:1: include: b.conf cannot be read: Permission denied"]


# -- astmanproxy.users -------------------------------------------------------------------

SECTION = "[bob]\nsecret = b\nread = all\nwrite = all\n"


@pytest.mark.parametrize(
    "line",
    ["#include users.d/*.users", '  #include "users.d/x.users"', "#tryinclude <users.d/x.users>",
     "#INCLUDE\tusers.d/x.users ; those of the shop"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "ann=a\n", f"ann=a\n{SECTION}"])
def test_users_are_included(top: Path, line: str, before: str) -> None:
    """In either part of the file, with the words of Asterisk's files."""
    (top / "users.d").mkdir()
    text = "[joe]\nsecret = j\nread = all\nwrite = all\n"
    main = write(
        top, a_users=f"{before}{line}\n[zoe]\nsecret=z\nread=\nwrite=\n", users_d__x_users=text
    )
    before_them = [name for name in ("ann", "bob") if name[1:] in before.replace("secret", "")]

    found = users(main)

    assert [*before_them, "joe", "zoe"] == list(found)
    assert found["joe"].place == f"{top}/users.d/x.users:1"
    assert found["zoe"].place.startswith(f"{main}:")
    assert found.files == (f"{top}/users.d/x.users",)


def test_users_of_the_c_programs_form_are_included(top: Path) -> None:
    """Before the first section; behind one they would be lines of it, which is told."""
    main = write(top, a_users="#include b.users\nann=a\n", b_users="joe=s,sip/1\n")
    assert users(main)["joe"].channel == "sip/1"

    write(top, a_users=f"{SECTION}#include b.users\n")
    assert "a user as name=secret,... stands before" in load_users(main)[1][0]


def test_a_section_goes_on_in_an_included_file_and_behind_it(top: Path) -> None:
    """As in Asterisk; so restrictions may be shared."""
    main = write(
        top,
        a_users="[joe]\nsecret = s\nread = all\nwrite = all\n#include rules\naccountcode = 7\n",
        rules="deny = 0.0.0.0/0\ndeny = ::/0\npermit = 192.0.2.0/24\n",
    )
    joe = users(main)["joe"]

    assert [joe.acl.allows(one) for one in ("192.0.2.1", "198.51.100.1")] == [True, False]
    assert joe.accountcode == "7"


def test_tryinclude_may_find_nothing_and_include_must(top: Path) -> None:
    """As in Asterisk, patterns too: what is missing may have restricted somebody."""
    assert list(users(write(top, a_users="#tryinclude none\n#tryinclude *.none\nann=a\n"))) == [
        "ann"
    ]
    for name in ("none", "*.none"):
        main = write(top, a_users=f"ann=a\n#include {name}\n")
        assert complaint(main) == f"a.users:2: include: there is no file {name}"
    assert complaint(write(top, a_users="#include\n")) == "a.users:1: #include names no file"
    assert "is not a regular file" in complaint(write(top, a_users="#tryinclude conf.d\n"))


def test_what_a_comment_holds_is_not_included(top: Path) -> None:
    """Of one line, or of several in the part with sections."""
    text = f"; #include none\n#included none\n# include none\n{SECTION};--\n#include none\n--;\n"

    assert list(users(write(top, a_users=text))) == ["bob"]


def test_a_comment_ends_in_the_file_it_begins_in(top: Path) -> None:
    """Or it would take users, or what restricts them, out of the other file."""
    main = write(
        top,
        a_users=f"{SECTION}#include b\n[joe]\nsecret=s\n;-- x --;\n",
        b="; b\n;-- the shop\n",
    )

    assert complaint(main).startswith("b:3: the comment that begins with ;-- has no end --;")


def test_messages_about_two_lines_name_the_file_of_the_other(top: Path) -> None:
    """Where it is another one."""
    main = write(top, a_users=f"#include b\n{SECTION}", b=f"; b\n{SECTION}")

    _, [warning] = load_users(main)

    assert warning.startswith(f"{main}:2: [bob] is here twice")
    assert f"instead of those from line 2 of {top}/b on" in warning


def test_a_template_and_a_general_section_may_be_included(top: Path) -> None:
    """What is inherited has the place where it is written."""
    main = write(
        top,
        a_users="#include base\n[joe](office)\nsecret = s\n",
        base="[general]\ndeny = 192.0.2.0/24\n[office](!)\nread = all\nwrite = all\nsetvar = x\n",
    )
    found, warnings = load_users(main)

    assert not found.general.acl.allows("192.0.2.1")
    assert [line.partition(" ")[0] for line in warnings] == [f"{top}/base:6:"]


# -- the file of aclfile -----------------------------------------------------------------


def test_lists_are_included(top: Path) -> None:
    """FreePBX keeps what is one's own in files beside."""
    main = write(top, acl_conf="#include acl_d.conf\n", acl_d_conf="")
    (top / "acl_d.conf").write_text("[office]\ndeny = 0.0.0.0/0\n")

    acls, warnings = load_acls(Config(acl_file=str(main)))

    assert (list(acls.lists), warnings) == (["office"], [])
    assert acls.files == (f"{top}/acl_d.conf",)
    (top / "acl_d.conf").write_text("[office]\nx = y\n")
    with pytest.raises(ConfigError, match=r"acl_d\.conf:2: x: a list has permit and deny lines"):
        load_acls(Config(acl_file=str(main)))
