"""Writes core/vectors/truth/KERNELS.toml: what llama-cpp-python generates greedily, token for token.

The Rust tests compare the runtime with these vectors (core/tests/truth.rs). In: the checkpoints; out: for
each prompt its token ids, the ids generated (200, or until the end of generation), and the places where
the two highest logits lie closer than 0.1, since there other kernels may rightly choose otherwise. KERNELS is what
`pinfold devices` names on this machine.

    python benches/truth.py stories=PATH/stories260K.gguf intent=checkpoints/intent/pinfold-intent-q8_0.gguf \
        > core/vectors/truth/baseline.toml
"""

import json
import sys

import llama_cpp
import numpy

TOKENS = 200
CLOSE = 0.1

PROMPTS = {
    "stories": [
        "Once upon a time", "Lily", "The dog", "Tom and Sam went to the park", "It was a dark night",
        "\"Mom, can I have a cookie?\"", "One day, a big bear", "The little girl was sad because", "A",
        "In the garden there was a tree.", "Ben had a red ball. He", "The cat saw a bird and",
        "They were happy", "She said, \"I", "There was a boy named Tim. Tim liked to play with his toys. One day",
        "The sun was", "Once there was a princess who lived in a castle", "He ran and ran", "7 ducks",
        "Once upon a time, in a land far away, there lived a small mouse. The mouse was very hungry. It looked"
        " for food under the bed, behind the door and in the kitchen. At last it found a big piece of cheese.",
    ],
    "intent": [
        "book a table for two at an italian place in boston tomorrow night",
        "Play some jazz by Miles Davis on Spotify.", "what's the weather like in Berlin this weekend",
        "add this song to my workout playlist", "rate the current book four out of six",
        "find the movie schedule for tonight", "show me the saga called dark harvest",
        "will it snow in Aspen, Colorado on january 3rd?", "I want to hear something from 1987",
        "reserve a spot for five at a brasserie in Utah", "give 3 stars to The Old House",
        "put the new track by adele in my late night list", "what films are playing close by",
        "look for the album Blue Train", "is it windy in paris right now", "PLAY THE TOP FIVE SONGS",
        "book me a restaurant", "a b c", "weather", "can you find me a tv show named Über den Wolken",
    ],
}


def generate(model, prompt):
    """The vector of one prompt."""
    ids = model.tokenize(prompt.encode(), add_bos=True, special=False)
    model.reset()
    model.eval(ids)
    vocabulary, out, close = model._model.vocab, [], []
    for index in range(TOKENS):
        pointer = llama_cpp.llama_get_logits_ith(model._ctx.ctx, -1)
        logits = numpy.ctypeslib.as_array(pointer, shape=(model.n_vocab(),))
        second, first = numpy.partition(logits, -2)[-2:]
        token = int(logits.argmax())
        if first - second < CLOSE:
            close.append([index, float(first - second)])
        if llama_cpp.llama_vocab_is_eog(vocabulary, token):
            return ids, out, close, True
        out.append(token)
        if len(out) < TOKENS:
            model.eval([token])
    return ids, out, close, False


def main():
    print("# Written by benches/truth.py on a machine of these kernels; do not edit.")
    print(f'generator = "llama-cpp-python {llama_cpp.__version__}"')
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        model = llama_cpp.Llama(path, n_ctx=512, n_threads=1, n_threads_batch=1, verbose=False)
        for prompt in PROMPTS[name]:
            ids, out, close, ended = generate(model, prompt)
            print("\n[[case]]")
            print(f"checkpoint = {json.dumps(name)}")
            print(f"prompt = {json.dumps(prompt, ensure_ascii=False)}")
            print(f"prompt_tokens = {ids}")
            print(f"tokens = {out}")
            print(f"ends = {json.dumps(ended)}")
            print(f"close = {json.dumps(close)}")


main()
