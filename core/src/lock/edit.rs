//! Edits of a lock file's text. What an edit does not have to change stays byte for byte, since only ranges of
//! the text are replaced: comments, order, spelling and line ends are a person's.

use std::ops::Range;

use toml_edit::{Item, Key, Table};

use super::fault::Parsed;
use super::node::{Node, Pairs, find, spelled_key};
use super::parse::{self, SECTIONS};

/// Replaces, adds or removes the entry `name` of a section, and gives the new text. `old` is what the text says
/// of it.
pub(super) fn set(
    text: &str,
    section: &str,
    name: &str,
    old: Option<Pairs>,
    new: Option<Pairs>,
) -> Parsed<String> {
    let document = parse::document(text)?;
    let root = document.as_table();
    let mut edit = Edit::new(text);
    let entry = |pairs: &Option<Pairs>| {
        Node::Table(pairs.iter().map(|p| (name.to_owned(), Node::Table(p.clone()))).collect())
    };
    match (root.get(section), &new) {
        (Some(Item::Value(value)), _) => edit.change(value, Some(&entry(&old)), &entry(&new)),
        (Some(Item::Table(table)), _) if table.contains_key(name) => {
            let (key, item) = table.get_key_value(name).unzip();
            match (key, item, &new) {
                (Some(key), Some(item), None) => {
                    edit.remove(key, item, false);
                    edit.close_gaps();
                }
                (_, Some(Item::Value(value)), Some(new)) => {
                    edit.change(value, old.map(Node::Table).as_ref(), &Node::Table(new.clone()));
                }
                (_, Some(Item::Table(table)), Some(new)) => {
                    edit.sync(table, &[section, name], &old.unwrap_or_default(), new);
                }
                _ => {}
            }
        }
        (_, Some(new)) => edit.append(root, section, name, new),
        (_, None) => {}
    }
    Ok(edit.apply())
}

/// Changes to a text: ranges, and what stands there afterwards.
pub(super) struct Edit<'t> {
    pub text: &'t str,
    /// How its lines end.
    pub newline: &'static str,
    changes: Vec<(Range<usize>, String)>,
}

impl<'t> Edit<'t> {
    fn new(text: &'t str) -> Self {
        let crlf = text.find('\n').is_some_and(|place| text[..place].ends_with('\r'));
        Self { text, newline: if crlf { "\r\n" } else { "\n" }, changes: Vec::new() }
    }

    fn apply(self) -> String {
        splice(self.text, 0..self.text.len(), self.changes)
    }

    fn change(&mut self, value: &toml_edit::Value, old: Option<&Node>, new: &Node) {
        if let Some(span) = value.span() {
            let text = self.value(value, old, new);
            self.changes.push((span, text));
        }
    }

    /// Makes a table that is written in lines say `new` where it said `old`.
    fn sync(&mut self, table: &Table, path: &[&str], old: &Pairs, new: &Pairs) {
        let mut added = Vec::new();
        for (key, node) in new {
            let before = find(old, key);
            match table.get_key_value(key) {
                None => added.push((key, node)),
                Some(_) if before == Some(node) => {}
                Some((_, Item::Value(value))) => self.change(value, before, node),
                Some((name, item)) => match (item, node.pairs()) {
                    (Item::Table(inner), Some(new)) => {
                        let empty = Pairs::new();
                        let path: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
                        self.sync(inner, &path, before.and_then(Node::pairs).unwrap_or(&empty), new);
                    }
                    _ => {
                        self.remove(name, item, false);
                        added.push((key, node));
                    }
                },
            }
        }
        for (key, _) in old.iter().filter(|(key, _)| find(new, key).is_none()) {
            if let Some((key, item)) = table.get_key_value(key) {
                self.remove(key, item, false);
            }
        }
        if !added.is_empty() {
            self.add(table, path, &added);
        }
    }

    /// Adds lines to a table.
    fn add(&mut self, table: &Table, path: &[&str], added: &[(&String, &Node)]) {
        let last = table.iter().filter_map(|(key, item)| {
            let start = table.key(key)?.span()?.start;
            Some((leaf_end(item)?, start))
        });
        let (at, lead, header) = match (last.max(), table.span()) {
            // Like the last line of the table, dotted keys and indentation included.
            (Some((end, key)), _) => {
                let lead = self.text[self.line_start(key)..key].trim_start_matches('\u{feff}');
                (self.line_end(end), lead, None)
            }
            (None, Some(header)) if !table.is_implicit() => (self.line_end(header.end), "", None),
            // The table is there by the headers of tables in it only, and gets its own.
            _ => {
                let first = table.iter().filter_map(|(_, item)| Some(item.span()?.start)).min();
                (self.line_start(first.unwrap_or(self.text.len())), "", Some(self.header(path)))
            }
        };
        let mut lines: String = header.iter().cloned().collect();
        for (key, node) in added {
            lines += &format!("{lead}{} = {}{}", spelled_key(key), node.spell(self.newline), self.newline);
        }
        if header.is_some() {
            lines += self.newline;
        }
        self.insert(at, lines);
    }

    fn header(&self, path: &[&str]) -> String {
        let path: Vec<String> = path.iter().map(|key| spelled_key(key)).collect();
        format!("[{}]{}", path.join("."), self.newline)
    }

    /// Inserts whole lines.
    fn insert(&mut self, at: usize, mut lines: String) {
        if at == self.text.len() && !self.text.is_empty() && !self.text.ends_with('\n') {
            lines.insert_str(0, self.newline);
        }
        self.changes.push((at..at, lines));
    }

    /// Removes what a key stands for; `covered` if its lines go with those of a table around it.
    fn remove(&mut self, key: &Key, item: &Item, covered: bool) {
        match item {
            Item::None => {}
            Item::Value(value) => {
                if let (Some(key), Some(value), false) = (key.span(), value.span(), covered) {
                    self.changes.push((self.line_start(key.start)..self.line_end(value.end), String::new()));
                }
            }
            Item::Table(table) => self.remove_table(table, covered),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| self.remove_table(table, covered)),
        }
    }

    fn remove_table(&mut self, table: &Table, covered: bool) {
        let headed = !table.is_implicit() && !table.is_dotted();
        if let (true, Some(header)) = (headed, table.span()) {
            let end = table.iter().filter_map(|(_, item)| leaf_end(item)).max().unwrap_or(header.end);
            self.changes.push((self.line_start(header.start)..self.line_end(end), String::new()));
        }
        for (name, item) in table {
            if let Some(key) = table.key(name) {
                self.remove(key, item, covered || headed);
            }
        }
    }

    /// Adds an entry after the last one of its section, or where the section would stand in a new file.
    fn append(&mut self, root: &Table, section: &str, name: &str, pairs: &Pairs) {
        let body = root.iter().filter_map(|(_, item)| leaf_end(item)).max().unwrap_or(0);
        let order = SECTIONS.iter().position(|known| *known == section).unwrap_or(0);
        let before = SECTIONS[..=order].iter().rev().find_map(|section| end(root.get(section)?));
        // Never among the lines of the root table, which a header would end.
        let at = self.after_comment(self.line_end(before.unwrap_or(0).max(body)));
        let mut block = String::new();
        if at > 0 && !self.is_blank_above(at) {
            block += self.newline;
        }
        block += &self.header(&[section, name]);
        for (key, node) in pairs {
            block += &format!("{} = {}{}", spelled_key(key), node.spell(self.newline), self.newline);
        }
        if at < self.text.len() && !self.is_blank(at) {
            block += self.newline;
        }
        self.insert(at, block);
    }

    /// Behind the lines of comments that begin at `at`, if they end the paragraph; else they speak of what follows.
    fn after_comment(&self, at: usize) -> usize {
        let mut end = at;
        while self.text[end..].starts_with('#') {
            end = self.line_end(end);
        }
        if end == self.text.len() || self.is_blank(end) { end } else { at }
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |place| place + 1)
    }

    /// Where the next line begins.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |place| at + place + 1)
    }

    fn is_blank(&self, line: usize) -> bool {
        self.text[line..self.line_end(line)].trim().is_empty()
    }

    fn is_blank_above(&self, line: usize) -> bool {
        line > 0 && self.is_blank(self.line_start(line - 1))
    }

    /// Takes away the blank lines too that lines which are removed leave behind.
    fn close_gaps(&mut self) {
        let mut changes = std::mem::take(&mut self.changes);
        changes.sort_by_key(|(lines, _)| lines.start);
        for (mut lines, text) in changes {
            if lines.start == 0 || self.is_blank_above(lines.start) {
                while lines.end < self.text.len() && self.is_blank(lines.end) {
                    lines.end = self.line_end(lines.end);
                }
            }
            while lines.end == self.text.len() && self.is_blank_above(lines.start) {
                lines.start = self.line_start(lines.start - 1);
            }
            match self.changes.last_mut() {
                Some((last, _)) if last.end >= lines.start => last.end = lines.end,
                _ => self.changes.push((lines, text)),
            }
        }
    }
}

/// The part `range` of a text with changes, which do not overlap.
pub(super) fn splice(text: &str, range: Range<usize>, mut changes: Vec<(Range<usize>, String)>) -> String {
    changes.sort_by_key(|(range, _)| (range.start, range.end));
    let mut spliced = String::new();
    let mut at = range.start;
    for (changed, new) in changes {
        debug_assert!(at <= changed.start, "changes overlap");
        spliced += text.get(at..changed.start).unwrap_or_default();
        spliced += &new;
        at = changed.end;
    }
    spliced + text.get(at..range.end).unwrap_or_default()
}

/// Where the last value of a key ends that stands among the lines of the table around it.
fn leaf_end(item: &Item) -> Option<usize> {
    match item {
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(table) if table.is_dotted() => table.iter().filter_map(|(_, item)| leaf_end(item)).max(),
        _ => None,
    }
}

/// Where the last line of a section ends, or begins.
fn end(item: &Item) -> Option<usize> {
    match item {
        Item::None => None,
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(table) => {
            let inner = table.iter().filter_map(|(_, item)| end(item)).max();
            inner.max(table.span().map(|span| span.end))
        }
        Item::ArrayOfTables(tables) => tables.span().map(|span| span.end),
    }
}
