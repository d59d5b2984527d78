package io.github.cellfuse.bench.gpu;

import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.bench.peers.ContestProblem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A problem and its result as files, for processes that aren't Java: raw floats in this machine's order. The weights
 * have torch's names and its order of gates, i f g o, which is ours.
 */
final class ProblemFiles {
    private static final int PART = 1 << 20;

    private final Path folder;

    ProblemFiles(Path folder) {
        this.folder = folder;
    }

    /** Writes a problem, and CellFuse's y {@code [T,N,H]}, over those before. */
    void write(ContestProblem problem, FloatBuffer y) {
        LstmWeights weights = problem.weights();
        float[] none = new float[4 * problem.shape().units()];
        write("weight_ih_l0", FloatBuffer.wrap(weights.input()));
        write("weight_hh_l0", FloatBuffer.wrap(weights.recurrent()));
        write("bias_ih_l0", FloatBuffer.wrap(weights.inputBias().orElse(none)));
        write("bias_hh_l0", FloatBuffer.wrap(weights.recurrentBias().orElse(none)));
        write("x", problem.x());
        write("y", y);
    }

    /** Returns the file of y. */
    Path y() {
        return folder.resolve("y");
    }

    private void write(String name, FloatBuffer values) {
        Path file = folder.resolve(name);
        FloatBuffer rest = values.duplicate().rewind();
        ByteBuffer bytes = ByteBuffer.allocateDirect(PART * Float.BYTES).order(ByteOrder.nativeOrder());
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            while (rest.hasRemaining()) {
                int count = Math.min(PART, rest.remaining());
                bytes.asFloatBuffer().put(rest.slice(rest.position(), count));
                rest.position(rest.position() + count);
                bytes.position(0).limit(count * Float.BYTES);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                bytes.clear();
            }
        } catch (IOException e) {
            throw new CellFuseException(file + ": can't be written: " + e.getMessage(), e);
        }
    }
}
