"""Streams an answer of the embedded checkpoint, cancels one, and shows an error.

    pip install ./bindings/python && python examples/python/main.py "play some jazz by miles davis"
"""

import asyncio
import sys
import threading

import pinfold


def stream_an_answer(model: pinfold.Model, request: str) -> None:
    """Piece by piece, as it comes."""
    with model.session() as session:
        session.append(model.chat_prompt([("user", request)]), parse_special=True)
        stream = session.generate(max_tokens=150)
        for chunk in stream:
            print(chunk, end="", flush=True)
        if stream.finish is not None:
            print(f"\n{stream.finish.reason} after {stream.finish.generated_tokens} tokens")


def cancel_one(model: pinfold.Model, request: str) -> None:
    """From another thread; the session can be used again at once."""
    with model.session() as session:
        session.append(model.chat_prompt([("user", request)]), parse_special=True)
        cancel = pinfold.Cancel()
        stream = session.generate(cancel=cancel)
        stopper = threading.Thread(target=cancel.cancel)
        stopper.start()
        for _ in stream:
            pass
        stopper.join()
        if stream.finish is not None:
            print(stream.finish.reason)


async def two_at_once(model: pinfold.Model, requests: "list[str]") -> None:
    """Asynchronous code does not block its loop, and sessions share the model."""

    async def answer(request: str) -> str:
        with model.session() as session:
            session.append(model.chat_prompt([("user", request)]), parse_special=True)
            return await session.acomplete(max_tokens=150)

    for text in await asyncio.gather(*map(answer, requests)):
        print(text)


def show_an_error() -> None:
    """Each failure is an exception of its own; all have a code, and a message that says what to do."""
    try:
        pinfold.Model.load("no-such-checkpoint.gguf")
    except pinfold.PinfoldError as error:
        print(f"error {error.code}: {error.message}")


def main() -> None:
    request = sys.argv[1] if len(sys.argv) > 1 else "will it rain in Lisbon tomorrow"
    with pinfold.Model.embedded("intent") as model:
        stream_an_answer(model, request)
        cancel_one(model, request)
        asyncio.run(two_at_once(model, ["is it windy in paris right now", "rate this book four stars"]))
    show_an_error()


main()
