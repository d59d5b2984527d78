package io.github.cellfuse.audit;

import java.util.Optional;

/**
 * A kernel as the compilers left it.
 *
 * @param code LLVM's listing
 * @param assembled what NVIDIA's assembler says it needs, where there is one
 */
record Compiled(KernelCode code, Optional<Resources> assembled) {
    /** The best that is known. */
    Resources resources() {
        return assembled.orElse(code.resources());
    }
}
