package io.github.cellfuse.implementations;

import io.github.cellfuse.cl.ClBuffer;
import io.github.cellfuse.cl.ClContext;
import io.github.cellfuse.cl.ClKernel;
import io.github.cellfuse.cl.ClProgram;
import io.github.cellfuse.cl.ClQueue;
import io.github.cellfuse.cl.NdRange;
import io.github.cellfuse.cl.TestDevices;
import java.util.List;

/** Runs kernels that each do one thing wrong. */
final class FaultyKernels {
    private static final String SOURCE = """
            __kernel void beyond(__global int* out) { out[get_global_id(0) + 1] = 1; }

            __kernel void global_race(__global int* out) { out[0] = get_global_id(0); }

            __kernel void local_race(__global int* out) {
              __local int shared[4];
              shared[get_local_id(0)] = get_global_id(0);
              out[get_global_id(0)] = shared[3 - get_local_id(0)];  // no barrier before
            }

            __kernel void unwritten(__global int* out) {
              __local int shared[4];
              out[get_global_id(0)] = shared[get_local_id(0)];
            }
            """;

    private FaultyKernels() {}

    public static void main(String[] arguments) {
        try (ClContext context = TestDevices.first().open();
                ClQueue queue = context.queue();
                ClProgram program = context.program("faulty", List.of(SOURCE), "")) {
            for (String name : List.of("beyond", "global_race", "local_race", "unwritten")) {
                ClBuffer out = context.buffer("out", 4 * Integer.BYTES, ClBuffer.Access.READ_WRITE);
                ClKernel kernel = program.kernel(name).setBuffer(0, out);
                queue.launch(kernel, NdRange.of(4).local(4));
                queue.finish();
            }
        }
    }
}
