package io.github.cellfuse.bench.gpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.bench.peers.ContestProblem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProblemFilesTest {
    @TempDir
    private Path folder;

    /** The first x is longer than the part that is written at once; the second problem is smaller than the first. */
    @Test
    void theFilesHaveEveryNumberOfTheLastProblem() throws IOException {
        ProblemFiles files = new ProblemFiles(folder);
        for (Shape shape : new Shape[] {new Shape(40, 32, 900, 2), new Shape(3, 2, 5, 7)}) {
            ContestProblem problem = ContestProblem.random(shape);
            FloatBuffer y = FloatBuffer.wrap(new float[] {1, 2, 3});
            y.position(2); // what was read from it doesn't matter
            files.write(problem, y);
            assertArrayEquals(problem.weights().input(), read("weight_ih_l0"));
            assertArrayEquals(problem.weights().recurrent(), read("weight_hh_l0"));
            assertArrayEquals(problem.weights().inputBias().orElseThrow(), read("bias_ih_l0"));
            assertArrayEquals(problem.weights().recurrentBias().orElseThrow(), read("bias_hh_l0"));
            float[] x = new float[shape.steps() * shape.rows() * shape.inputs()];
            problem.x().get(x);
            assertArrayEquals(x, read("x"));
            assertArrayEquals(new float[] {1, 2, 3}, read("y"));
            assertEquals(folder.resolve("y"), files.y());
        }
    }

    private float[] read(String name) throws IOException {
        FloatBuffer values = ByteBuffer.wrap(Files.readAllBytes(folder.resolve(name)))
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        float[] all = new float[values.limit()];
        values.get(all);
        return all;
    }
}
