//! Plan → text for people (terminal, Markdown, JSON).
