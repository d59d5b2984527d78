package io.github.cellfuse.audit;

import java.util.OptionalInt;

/**
 * What a kernel needs of a compute unit. What only the vendor's assembler decides is empty where there is none.
 *
 * @param registers vector registers of a lane
 * @param scalarRegisters of a wave, on AMD
 * @param spills vector registers that had to go to memory and back; on NVIDIA the bytes of it
 * @param scalarSpills scalar registers that went to lanes of vector registers, on AMD
 * @param scratchBytes memory of a work-item's own: spills, and arrays with an index that isn't constant
 * @param localBytes local memory of a work-group
 */
record Resources(
        OptionalInt registers,
        OptionalInt scalarRegisters,
        OptionalInt spills,
        OptionalInt scalarSpills,
        int scratchBytes,
        int localBytes) {}
