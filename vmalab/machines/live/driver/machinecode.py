"""The machine code of `access.py`: loads, stores and the signal handler, for x86-64 and for arm64.

    stores(address, count, value, page)             page after page; what is left << 8 | the signal that ended it
    loads(address, count, values, signals, page)    the first word of each page, and the signal that each met

A signal at one of the two accesses goes on behind it, with the signal's number in a register; SIGALRM only when the
same access has met three.  Any other signal has its default effect.
"""

from __future__ import annotations

from typing import NamedTuple

from . import kernel


class MachineCode(NamedTuple):
    """The code, and the offsets of its four entries."""

    code: bytes
    stores: int
    loads: int
    handler: int
    restorer: int


X86_64 = MachineCode(
    bytes.fromhex(
        "31c04885f67415"  # 00 stores(address, count, value): xor eax, eax; test rsi, rsi; jz stored
        "4531c0"  # 07 again: xor r8d, r8d (the alarms that the next instruction has met)
        "488917"  # 0a STORE: mov [rdi], rdx
        "4881c700100000"  # 0d add rdi, 4096
        "48ffc248ffce75eb"  # 14 inc rdx; dec rsi; jnz again
        "48c1e6084809f0c366662e0f1f84000000000090"  # 1c stored: shl rsi, 8; or rax, rsi; ret (pages left << 8 | signal)
        "4885f67423"  # 30 loads(address, count, values, signals): test rsi, rsi; jz 58
        "4531c031c04531c9"  # 35 again: xor r8d, r8d; xor eax, eax; xor r9d, r9d
        "4c8b0f"  # 3d LOAD: mov r9, [rdi]
        "4c890a8801"  # 40 loaded: mov [rdx], r9; mov [rcx], al
        "4881c700100000"  # 45 add rdi, 4096
        "4883c20848ffc1"  # 4c add rdx, 8; inc rcx
        "48ffce75ddc30f1f8000000000"  # 53 dec rsi; jnz again; ret
        "488b82a8000000"  # 60 handler(signal, siginfo, ucontext): mov rax, [rdx+168] (rip)
        "4c8d0d9cffffff"  # 67 lea r9, STORE
        "4c8d15a7ffffff"  # 6e lea r10, stored
        "4c39c8742f"  # 75 cmp rax, r9; je ours
        "4c8d0dbcffffff"  # 7a lea r9, LOAD
        "4c8d15b8ffffff"  # 81 lea r10, loaded
        "4c39c8741c"  # 88 cmp rax, r9; je ours
        "83ff0e7416"  # 8d cmp edi, SIGALRM; je a8
        "488d3547000000"  # 92 lea rsi, default
        "31d241ba08000000"  # 99 xor edx, edx; mov r10d, 8
        "b80d0000000f05c3"  # a1 rt_sigaction(signal, default, NULL, 8); a8: ret
        "83ff0e7509"  # a9 ours: cmp edi, SIGALRM; jne b7
        "ff4228837a28037cf1"  # ae inc [rdx+40]; cmp [rdx+40], 3; jl a8 (r8)
        "89f848898290000000"  # b7 mov eax, edi; mov [rdx+144], rax (rax)
        "4c8992a8000000c30f1f840000000000"  # c0 mov [rdx+168], r10; ret
        "b80f0000000f05660f1f840000000000"  # d0 restorer: rt_sigreturn()
        "0000000000000000000000000000000000000000000000000000000000000000"  # e0 default: a sigaction of zeros, SIG_DFL
    ),
    0x00, 0x30, 0x60, 0xD0,
)  # fmt: skip
"""With the offset of each line (hexadecimal) and what it says.  Pages have 4096 bytes here."""

ARM64 = MachineCode(
    bytes.fromhex(
        "090080d2e10000b4"  # 00 stores: mov x9, #0 (the signal); cbz x1, stored
        "0a0080d2"  # 08 again: mov x10, #0 (the alarms that the next access has met)
        "020000f9"  # 0c STORE: str x2, [x0]
        "0000038b42040091210400f161ffff54"  # 10 add x0, x0, x3; add x2, x2, #1; subs x1, x1, #1; b.ne 8
        "20dc78d3000009aac0035fd61f2003d51f2003d51f2003d51f2003d51f2003d5"  # 20 stored: lsl x0, x1, #8; orr x0, x0, x9
        "810100b40a0080d2090080d20b0080d2"  # 40 loads: cbz x1, 70; 44 again: mov x10, #0; mov x9, #0; mov x11, #0
        "0b0040f9"  # 50 LOAD: ldr x11, [x0]
        "4b0000f969000039"  # 54 loaded: str x11, [x2]; strb w9, [x3]
        "0000048b4220009163040091"  # 5c add x0, x0, x4; add x2, x2, #8; add x3, x3, #1
        "210400f1c1feff54c0035fd61f2003d51f2003d51f2003d5"  # 68 subs x1, x1, #1; b.ne again; 70: ret
        "43dc40f9"  # 80 handler(signal, siginfo, ucontext): ldr x3, [x2, #440] (pc)
        "44fcff10c5fcff107f0004eba0010054"  # 84 adr x4, STORE; adr x5, stored; cmp x3, x4; b.eq ours
        "e4fdff10e5fdff107f0004eb20010054"  # 94 adr x4, LOAD; adr x5, loaded; cmp x3, x4; b.eq ours
        "1f380071c0000054"  # a4 cmp w0, #SIGALRM; b.eq out
        "a1040010020080d2030180d2c81080d2010000d4c0035fd6"  # ac rt_sigaction(signal, default, NULL, 8); c0 out: ret
        "1f380071c1000054"  # c4 ours: cmp w0, #SIGALRM; b.ne ends
        "468440f9c6040091468400f9"  # cc ldr x6, [x2, #264] (x10); add x6, x6, #1; str x6, [x2, #264]
        "df0c00f12bffff54"  # d8 cmp x6, #3; b.lt out
        "e003002a408000f945dc00f9c0035fd6"  # e0 ends: mov w0, w0; str x0, [x2, #256] (x9); str x5, [x2, #440]; ret
        "1f2003d51f2003d51f2003d51f2003d5"  # f0 (nothing)
        "681180d2010000d41f2003d51f2003d5"  # 100 restorer: rt_sigreturn()
        "1f2003d51f2003d51f2003d51f2003d51f2003d51f2003d5"
        "1f2003d51f2003d51f2003d51f2003d51f2003d51f2003d5"
        "0000000000000000000000000000000000000000000000000000000000000000"  # 140 default: a sigaction of zeros
    ),
    0x00, 0x40, 0x80, 0x100,
)  # fmt: skip
"""Registers are in the signal's context from byte 184 on, the program counter at 440."""

HERE = ARM64 if kernel.ARM else X86_64
