package io.github.cellfuse.bench.audit;

import java.util.Optional;

/**
 * A compiled kernel.
 *
 * @param code LLVM's listing
 * @param assembled the resources that NVIDIA's assembler reports; empty without it
 */
record Compiled(KernelCode code, Optional<Resources> assembled) {
    /** Returns the resources that the assembler reports or, without it, those of the listing. */
    Resources resources() {
        return assembled.orElse(code.resources());
    }
}
