"""The SIMD levels, best first: for which processor, in which vocabulary of vectors, with which extra instructions;
the build, the choice at run time and the tests of other processors take them from here."""

from typing import NamedTuple


class Level(NamedTuple):
    """One way to compile the kernels. `processor` is Meson's name of its family, or empty: any."""

    name: str
    processor: str
    vocabulary: str
    needs: tuple[str, ...] = ()

    def flags(self) -> list[str]:
        """What gcc and clang call the instructions that are needed."""
        if self.processor == "aarch64":
            return [f"-march=armv8-a+{'+'.join(self.needs)}"] if self.needs else []
        wide = ["-mprefer-vector-width=512"] if "avx512f" in self.needs else []
        return [f"-m{need}" for need in self.needs] + wide


_AVX512 = ("aes", "avx512f", "avx512bw", "avx512dq", "avx512vl")

LEVELS = (
    Level("avx512", "x86_64", "vec_avx512.h", (*_AVX512, "avx512vnni", "vaes")),
    Level("avx512bw", "x86_64", "vec_avx512.h", _AVX512),
    Level("avx2vaes", "x86_64", "vec_avx2.h", ("aes", "avx2", "vaes")),
    Level("avx2", "x86_64", "vec_avx2.h", ("aes", "avx2")),
    Level("neonaes", "aarch64", "vec_neon.h", ("crypto",)),
    Level("neon", "aarch64", "vec_neon.h"),
    Level("plain", "", "vec_plain.h"),
)


def levels_for(processor: str) -> list[Level]:
    """Those that a build for a processor has."""
    return [level for level in LEVELS if level.processor in ("", processor)]
