# SPDX-License-Identifier: GPL-2.0-or-later
"""What servers say in the histories that is forged, or happens besides."""

from __future__ import annotations

from tests.threads.sessions.answersmodel import GIVEN, Server, World

#: A channel of the users who see its calls only.
CHANNEL = ("Channel: SIP/1-1", "Uniqueid: 1.1")


class Forging(World):
    """The servers of a history."""

    def some_id(self, server: Server) -> str:
        """Return an ActionID that is under way nowhere on *server*: old, guessed, another's."""
        elsewhere = [
            asked.wire_id
            for other in self.servers if other is not server
            for asked in (*other.queue, *other.calls)
        ]  # fmt: skip
        ids = [*GIVEN[1:], "amp2-42", *self.old[-6:], *elsewhere]
        chosen = ids[self.pick(len(ids))]
        return "2" if server.listing is not None and server.listing.wire_id == chosen else chosen

    def event(self, server: Server) -> None:
        """Something happens at an Asterisk."""
        of_class = ("call", "system")[self.pick(2)]
        mark = self.of_event(None, f"{of_class} event", of_class=of_class)
        server.say("Event: Newchannel", f"Privilege: {of_class},all", *CHANNEL, mark)

    def foreign_event(self, server: Server) -> None:
        """Another program's event, with an ActionID that is none of ours."""
        name = ("UserEvent", "OriginateResponse", "Odd")[self.pick(3)]
        given = (*GIVEN[1:], "amp9-zzzzzzZZZZZZ012345-1", "amp1-42")[self.pick(7)]
        mark = self.of_event(given, f"foreign {name}", of_class="call")
        server.say(f"Event: {name}", "Privilege: call,all", f"ActionID: {given}", mark)

    def forge_answer(self, server: Server) -> None:
        """A value forges a Response."""
        given = self.some_id(server) if self.pick(3) else None
        lines = [("Response: Success", "Response: Error")[self.pick(2)]]
        lines += [[], ["EventList: start"], ["Message: Peers will follow"]][self.pick(3)]
        lines += [] if given is None else [f"ActionID: {given}"]
        server.say(*lines, self.of_nobody(given, "forged answer"))

    def forge_item(self, server: Server) -> None:
        """A value forges an item or the end of a list; one of our ActionIDs makes it nobody's."""
        given = self.some_id(server)
        if any(given in each.ours for each in self.servers):
            mark = self.mark(set(), set(), "forged item", given)
        else:
            mark = self.of_event(given, "forged item", of_class="")
        head = ("Event: Status", "Event: StatusComplete")[self.pick(2)]
        server.say(head, f"ActionID: {given}", "EventList: Complete", mark)

    def forge_without_id(self, server: Server) -> None:
        """A value forges an item, an end or text without ActionID: part of what is under way."""
        asked = server.listing
        if self.pick(2):
            texting = server.texting or (server.queue[0] if server.queue else None)
            if asked is None and texting is not None and texting.kind == "text":
                asked = texting
            if asked is None:
                mark = self.of_nobody(None, "forged text")
            else:
                mark = self.of_answer(asked, bears=False, what="text in its own answer")
            server.say("text", mark)
        elif asked is None:
            server.say("Event: PeerEntry", self.of_event(None, "forged event", of_class=""))
        else:
            end = "Event: StatusComplete" if asked.marked else "Event: PeerEntry"
            mark = self.of_answer(asked, bears=False, what="forged item of its own list")
            server.say(end, mark)
