//! Edits inside of one value: arrays and inline tables keep what does not change.

use toml_edit::{Array, InlineTable, Value};

use super::edit::{Edit, splice};
use super::node::{Node, Pairs, find, spelled_key};

impl Edit<'_> {
    /// How a value is spelled that says `new` where it said `old`.
    pub(super) fn value(&self, value: &Value, old: Option<&Node>, new: &Node) -> String {
        match (value, old.and_then(Node::items), new.items(), new.pairs()) {
            (Value::Array(array), Some(old), Some(new), _)
                if old.len() == array.len() && !old.is_empty() && !new.is_empty() =>
            {
                self.array(array, old, new)
            }
            (Value::InlineTable(table), _, _, Some(new)) => {
                let empty = Pairs::new();
                self.inline_table(table, old.and_then(Node::pairs).unwrap_or(&empty), new)
            }
            _ => new.spell(self.newline),
        }
    }

    fn array(&self, array: &Array, old: &[Node], new: &[Node]) -> String {
        let spans: Vec<_> = array.iter().filter_map(Value::span).collect();
        let (Some(whole), true) = (array.span(), spans.len() == old.len()) else {
            return Node::Row(new.to_vec()).spell(self.newline);
        };
        let same =
            |pairs: &mut dyn Iterator<Item = (&Node, &Node)>| pairs.take_while(|(a, b)| a == b).count();
        let first = same(&mut old.iter().zip(new));
        let most = old.len().min(new.len()) - first;
        let last = same(&mut old.iter().rev().zip(new.iter().rev())).min(most);
        let (old_end, new_end) = (old.len() - last, new.len() - last);
        let both = first + (old_end - first).min(new_end - first);

        let mut changes = Vec::new();
        for (index, value) in array.iter().enumerate().take(both).skip(first) {
            changes.push((spans[index].clone(), self.value(value, Some(&old[index]), &new[index])));
        }
        let inserted = new[both..new_end].iter().map(|node| node.spell(self.newline));
        let separator = self.separator(whole.start, spans[0].start);
        match both.checked_sub(1) {
            Some(previous) => {
                let text: String = inserted.map(|text| format!("{separator}{text}")).collect();
                changes.push((spans[previous].end..spans[previous].end, text));
            }
            None => {
                let text: String = inserted.map(|text| format!("{text}{separator}")).collect();
                changes.push((spans[0].start..spans[0].start, text));
            }
        }
        if both < old_end {
            let range = match (spans.get(old_end), both.checked_sub(1).map(|previous| spans[previous].end)) {
                (Some(next), _) => spans[both].start..next.start,
                // Up to the one before, unless a comment stands between.
                (None, Some(end)) if !self.text[end..spans[both].start].contains('#') => {
                    end..spans[old_end - 1].end
                }
                (None, _) => {
                    let end = spans[old_end - 1].end;
                    let rest = &self.text[end..whole.end];
                    let comma = rest.trim_start().starts_with(',');
                    let skipped = rest.len() - rest.trim_start().len() + 1;
                    spans[both].start..if comma { end + skipped } else { end }
                }
            };
            changes.push((range, String::new()));
        }
        splice(self.text, whole, changes)
    }

    /// What stands between two elements: the array's own way if it breaks lines.
    fn separator(&self, start: usize, first: usize) -> String {
        let lead = &self.text[start + 1..first];
        match lead.rfind('\n') {
            Some(place) => format!(",{}{}", self.newline, &lead[place + 1..]),
            None => ", ".to_owned(),
        }
    }

    fn inline_table(&self, table: &InlineTable, old: &Pairs, new: &Pairs) -> String {
        let mut kept = Vec::new();
        let mut changes = Vec::new();
        let mut dropped = false;
        for (path, value) in toml_edit::TableLike::get_values(table) {
            let (Some(&key), Some(span)) = (path.first(), value.span()) else { continue };
            let (before, after) = (find(old, key.get()), find(new, key.get()));
            let changed = before != after;
            // A key that neither speaks of is a person's, at its default.
            if changed && (after.is_none() || path.len() > 1) {
                dropped = true;
                continue;
            }
            let text = match after {
                Some(node) if changed => self.value(value, before, node),
                _ => self.text[span.clone()].to_owned(),
            };
            match key.span() {
                Some(key) if path.len() == 1 => {
                    kept.push(format!("{}{text}", &self.text[key.start..span.start]))
                }
                _ => {
                    let path = path.iter().filter_map(|key| Some(&self.text[key.span()?]));
                    kept.push(format!("{} = {text}", path.collect::<Vec<_>>().join(".")));
                }
            }
            if changed {
                changes.push((span, text));
            }
        }
        let mut added = false;
        for (key, node) in new {
            let there = table.contains_key(key);
            let dotted =
                table.get(key).and_then(|item| item.as_inline_table()).is_some_and(InlineTable::is_dotted);
            if !there || (dotted && find(old, key) != Some(node)) {
                added = true;
                kept.push(format!("{} = {}", spelled_key(key), node.spell(self.newline)));
            }
        }
        match table.span() {
            Some(span) if !dropped && !added => splice(self.text, span, changes),
            _ if kept.is_empty() => "{}".to_owned(),
            _ => format!("{{ {} }}", kept.join(", ")),
        }
    }
}
