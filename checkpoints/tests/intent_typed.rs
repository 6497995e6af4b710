//! The intent checkpoint with its output declared: always JSON, its values always quotes of the request, and no
//! worse than without. The requests are in the shared data; those of `HELD_OUT` are of the test set of the card.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::Path;

use pinfold::{
    Completion, Constraint, GenerateOptions, Message, Model, ModelOptions, Offload, Role, Special,
};
use serde_json::{Map, Value, json};

/// Intents, their slots, and requests by their places in the file of the intent.
const HELD_OUT: [(&str, &str, &[usize]); 7] = [
    (
        "AddToPlaylist",
        "artist|entity_name|music_item|playlist|playlist_owner",
        &[
            599, 1861, 1812, 1146, 1368, 1183, 743, 1689, 136, 1843, 609, 571, 362, 1749, 1116, 1340, 366,
            541, 241, 1510, 456, 1428, 396, 1327, 761, 485, 670, 85, 790, 1665,
        ],
    ),
    (
        "BookRestaurant",
        "city|country|cuisine|facility|party_size_description|party_size_number|poi|restaurant_name|restaurant_type|served_dish|sort|spatial_relation|state|timeRange",
        &[
            1130, 274, 1675, 1075, 12, 787, 1190, 1248, 1134, 1580, 506, 750, 751, 149, 1633, 376, 596, 1457,
            1441, 27, 1560, 1611, 971, 718, 23, 1913, 1834, 1617, 941, 169,
        ],
    ),
    (
        "GetWeather",
        "city|condition_description|condition_temperature|country|current_location|geographic_poi|spatial_relation|state|timeRange",
        &[
            831, 1560, 516, 1671, 186, 1392, 1899, 1376, 606, 180, 570, 63, 1264, 661, 1741, 1732, 1357, 732,
            586, 1588, 1325, 1643, 1425, 647, 1527, 590, 1632, 955, 565, 1454,
        ],
    ),
    (
        "PlayMusic",
        "album|artist|genre|music_item|playlist|service|sort|track|year",
        &[
            123, 356, 1608, 1999, 827, 1148, 1453, 1799, 1331, 579, 516, 704, 1665, 59, 942, 1067, 980, 1029,
            848, 845, 1427, 805, 1407, 1062, 1297, 1792, 1584, 1813, 1994, 1993,
        ],
    ),
    (
        "RateBook",
        "best_rating|object_name|object_part_of_series_type|object_select|object_type|rating_unit|rating_value",
        &[
            695, 183, 1589, 1687, 1151, 864, 593, 1364, 356, 1933, 1384, 1375, 1004, 1653, 1437, 1106, 311,
            492, 1683, 236, 1544, 381, 89, 103, 40, 561, 1405, 1223, 1555, 1430,
        ],
    ),
    (
        "SearchCreativeWork",
        "object_name|object_type",
        &[
            237, 261, 1818, 264, 95, 1028, 210, 1555, 1358, 1193, 1465, 200, 1252, 426, 219, 1914, 828, 36,
            136, 436, 1062, 1191, 1257, 1014, 327, 803, 594, 1425, 626, 1310,
        ],
    ),
    (
        "SearchScreeningEvent",
        "location_name|movie_name|movie_type|object_location_type|object_type|spatial_relation|timeRange",
        &[
            2, 256, 502, 386, 1286, 452, 241, 1608, 364, 1840, 1435, 988, 1816, 1886, 268, 1774, 331, 126,
            760, 479, 1681, 132, 958, 400, 734, 1275, 199, 1278, 160, 1396,
        ],
    ),
];

/// The output of a request: the intent, then the slots in any order, each one quote or several.
fn output(request: &str) -> Constraint {
    let intents = HELD_OUT.map(|(intent, slots, _)| {
        let quote = json!({"type": "string", "x-quote": request, "minLength": 1});
        let value = json!({"anyOf": [quote, {"type": "array", "items": quote, "minItems": 2}]});
        json!({
            "type": "object",
            "properties": {"intent": {"const": intent}},
            "required": ["intent"],
            "patternProperties": {format!("^({slots})$"): value},
            "additionalProperties": false,
        })
    });
    Constraint::JsonSchema(json!({"anyOf": intents}))
}

/// The requests of an intent with the answers that the labels give.
fn labelled(folder: &Path, intent: &str, places: &[usize]) -> Vec<(String, Value)> {
    let bytes = std::fs::read(folder.join(format!("train_{intent}_full.json"))).unwrap();
    let file: Value = serde_json::from_str(&String::from_utf8_lossy(&bytes)).unwrap();
    let one = |&place: &usize| {
        let pieces = file[intent][place]["data"].as_array().unwrap();
        let text: String = pieces.iter().map(|piece| piece["text"].as_str().unwrap()).collect();
        let mut answer = Map::from_iter([("intent".to_owned(), json!(intent))]);
        for piece in pieces {
            let value = piece["text"].as_str().unwrap().trim();
            let Some(slot) = piece["entity"].as_str().filter(|_| !value.is_empty()) else { continue };
            match answer.get_mut(slot) {
                None => drop(answer.insert(slot.to_owned(), json!(value))),
                Some(Value::Array(values)) => values.push(json!(value)),
                Some(first) => *first = json!([first.take(), value]),
            }
        }
        (text.trim().to_owned(), Value::Object(answer))
    };
    places.iter().map(one).collect()
}

fn generate(model: &Model, request: &str, constraint: Option<Constraint>) -> Completion {
    let prompt = model.chat_prompt(&[Message::new(Role::User, request)]).unwrap();
    let session = model.session().unwrap();
    session.append(&prompt, Special::Parse).unwrap();
    let options = GenerateOptions { max_tokens: Some(200), constraint, ..GenerateOptions::default() };
    session.generate(&options).unwrap().complete().unwrap()
}

/// The strings of an answer beside the intent.
fn values(answer: &Value) -> Vec<&str> {
    let slots = answer.as_object().unwrap().iter().filter(|(slot, _)| *slot != "intent");
    let values = slots.flat_map(|(_, value)| match value {
        Value::Array(values) => values.iter().collect(),
        value => vec![value],
    });
    values.map(|value| value.as_str().unwrap()).collect()
}

#[test]
fn with_its_output_declared_it_is_valid_quoted_and_no_worse() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/snips");
    if !folder.exists() {
        eprintln!("with_its_output_declared_it_is_valid_quoted_and_no_worse: {} is absent", folder.display());
        return;
    }
    let options = ModelOptions { offload: Offload::cpu_only(), ..ModelOptions::default() };
    let model = pinfold_checkpoints::find("intent").unwrap().load(&options).unwrap();
    let (mut free_right, mut typed_right, mut free_intents, mut typed_intents) = (0, 0, 0, 0);
    for (intent, _, places) in HELD_OUT {
        for (request, label) in labelled(&folder, intent, places) {
            let free = generate(&model, &request, None);
            let free: Value = serde_json::from_str(&free.text).unwrap_or_default();
            let constraint = output(&request);
            let typed = generate(&model, &request, Some(constraint.clone())).value(&constraint).unwrap();
            assert!(values(&typed).iter().all(|value| request.contains(value)), "{request:?}: {typed}");
            free_right += usize::from(free == label);
            typed_right += usize::from(typed == label);
            free_intents += usize::from(free["intent"] == label["intent"]);
            typed_intents += usize::from(typed["intent"] == label["intent"]);
        }
    }
    eprintln!(
        "exact {free_right} free, {typed_right} typed; intents {free_intents} free, {typed_intents} typed"
    );
    assert!(free_right > 150, "{free_right} of 210: the labels are read wrongly");
    assert!(typed_right >= free_right, "{typed_right} exact answers, {free_right} without");
    assert!(typed_intents >= free_intents, "{typed_intents} intents, {free_intents} without");
}
