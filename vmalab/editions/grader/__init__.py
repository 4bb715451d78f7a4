"""Grades a submission so that nothing in it can reach the grade: what is judged is what an answer does, as data.

Three processes, each a fresh interpreter, and what each may know:

    autograde.py   in nbgrader's own process: takes the graded cells from the teacher's source, writes the verdicts
    court.py       the judge: knows the hidden tests' seed, recomputes every answer with this package's model
    worker.py      runs the submission's cells; confined (confine.py), without the seed; hands over answers as JSON

A submission may change whatever it likes in the worker: `check`, `Feedback`, `print`, the files that it can write.  All
that leaves the worker is an answer (handed.py): plain values, and programs as lists of calls.  The judge makes those
calls on models of its own.  A function stays in the worker: the judge asks it with an address space that it has drawn,
and gets back the calls that the function made.  So a wrong answer can't look right, and a right one needs no more than
to be right.

Where the kernel has no Landlock (Linux before 5.13, other systems) the worker can read the teacher's files; then run
nbgrader in a container.
"""
