"""Grades a submission so that nothing in it can reach the grade: what is judged is what an answer does, as data.

    client.py      in the grader's own process: starts a forkserver, hands it submissions, reads verdicts
    forkserver.py  has imported what the others need, and forks them for each submission; knows nothing
    judge.py       knows the keys; recomputes every answer with this package's model
    worker.py      runs the submission's cells; hands over answers as JSON (answers.py)
    confine.py     syscalls.py: what a worker gives up before it does: files, processes, network, most system calls

A submission may change whatever it likes in the worker: `check`, `Feedback`, `print`, the files that it can write.  All
that leaves the worker is an answer: plain values, and programs as lists of calls.  The judge makes those calls on
models of its own.  A function stays in the worker: the judge asks it with an address space that it has drawn, and gets
back the calls that the function made.  So a wrong answer can't look right, and a right one needs no more than to be
right.

docs/threat-model.md says what protects from what, and what was tried.
"""
