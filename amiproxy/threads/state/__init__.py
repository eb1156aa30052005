# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is now at each Asterisk: a thread for each keeps its model (amiproxy/state/).

Nothing here is imported before the first client asks for a snapshot.  What a model makes of
events is no business of this folder, nor who may see a row: that is said by what a user may see.
"""
