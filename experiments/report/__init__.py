"""Runs on a page of HTML: the static report, and the parts it shares with the dashboard."""
