package io.github.cellfuse.bench.audit;

import java.util.OptionalInt;

/**
 * The resources that a kernel needs. A number that only the vendor's assembler decides is empty without it.
 *
 * @param registers vector registers of a lane
 * @param scalarRegisters scalar registers of a wave, on AMD
 * @param spills vector registers that were spilled to memory; on NVIDIA the bytes of their stores and loads
 * @param scalarSpills scalar registers that were spilled to lanes of vector registers, on AMD
 * @param scratchBytes private memory of a work-item: spills, and arrays whose index isn't constant
 * @param localBytes local memory of a work-group
 */
record Resources(
        OptionalInt registers,
        OptionalInt scalarRegisters,
        OptionalInt spills,
        OptionalInt scalarSpills,
        int scratchBytes,
        int localBytes) {}
