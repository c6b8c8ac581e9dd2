//! Events → progress, final report, Slack, JSON lines, status.
