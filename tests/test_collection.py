"""The search for cyclic garbage pauses while the compiler runs, and always goes on afterwards."""

import gc
import threading

import pytest

import tangent_like as tl
from tangent_like.collection import collection_paused


def test_collection_is_paused_and_goes_on() -> None:
    assert gc.isenabled()
    with collection_paused():
        assert not gc.isenabled()
        with collection_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_collection_that_does_not_go_stays_so() -> None:
    gc.disable()
    try:
        with collection_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_collection_goes_on_after_an_error() -> None:
    with pytest.raises(tl.errors.SourceError):
        tl.grad(eval("lambda x: x * x"))(2.0)
    assert gc.isenabled()


def test_collection_goes_on_after_several_threads() -> None:
    """Each begins while another has it paused, and ends before or after that one."""
    inside, leave = threading.Barrier(2), threading.Barrier(2)

    def first() -> None:
        with collection_paused():
            inside.wait()
            leave.wait()

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with collection_paused():
        leave.wait()
        thread.join()
    assert gc.isenabled()
