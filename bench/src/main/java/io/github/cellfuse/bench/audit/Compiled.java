package io.github.cellfuse.bench.audit;

import java.util.Optional;

/**
 * A compiled kernel.
 *
 * @param code LLVM's listing
 * @param assembled the resources that NVIDIA's assembler reports; empty without it
 * @param execution what a warp executes; empty on AMD, whose listings aren't run
 */
record Compiled(KernelCode code, Optional<Resources> assembled, Optional<Execution> execution) {
    /** Returns the resources that the assembler reports or, without it, those of the listing. */
    Resources resources() {
        return assembled.orElse(code.resources());
    }
}
