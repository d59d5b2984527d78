import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.LstmStreams;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpyArray;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Runs two sequences that arrive in pieces, whose states stay on the device between the calls, and compares them with
 * whole sequences. {@code bin/example Streams}, from the root of the project.
 */
public final class Streams {
    private static final int STEPS = 36, FEATURES = 2;

    public static void main(String... args) {
        LstmModel model = ModelFiles.read(Path.of("examples/sunspots/model.safetensors"));
        float[] all;
        try (NpyArray array = NpyArray.open(Path.of("examples/sunspots/input.npy"))) {
            all = array.readAll(); // [240, 36, 2], of which the first two sequences are used
        }
        int sequence = STEPS * FEATURES;
        float[] first = Arrays.copyOfRange(all, 0, sequence), second = Arrays.copyOfRange(all, sequence, 2 * sequence);

        try (LstmEngine engine = LstmEngine.open(model);
                LstmSession session = engine.newSession();
                LstmStreams streams = session.newStreams()) {
            int a = streams.add(), b = streams.add(); // both begin with states of zeros
            System.out.println("streams: " + streams.count() + " on " + engine.device());

            // Ten steps of both in one call, then the rest of each by itself.
            streams.run(LstmInput.batchMajor(join(piece(first, 0, 10), piece(second, 0, 10)), 2, 10), a, b);
            FloatBuffer restOfA = streams.run(LstmInput.batchMajor(piece(first, 10, STEPS), 1, STEPS - 10), a);
            streams.drop(a); // its number is free again; b is as before
            FloatBuffer restOfB = streams.run(LstmInput.batchMajor(piece(second, 10, STEPS), 1, STEPS - 10), b);
            System.out.println("streams: " + streams.count() + " after dropping one");

            FloatBuffer whole = session.run(LstmInput.batchMajor(join(first, second), 2, STEPS)).y();
            System.out.println("first stream, the bits of the whole sequence: " + endsWith(whole, 1, restOfA));
            System.out.println("second stream, the bits of the whole sequence: " + endsWith(whole, 2, restOfB));
        }
    }

    /** Steps {@code from} to {@code to} of a sequence. */
    private static float[] piece(float[] sequence, int from, int to) {
        return Arrays.copyOfRange(sequence, from * FEATURES, to * FEATURES);
    }

    private static float[] join(float[] a, float[] b) {
        float[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    /** Whether the first {@code sequences} sequences of {@code whole} end with {@code rest}, bit by bit. */
    private static boolean endsWith(FloatBuffer whole, int sequences, FloatBuffer rest) {
        int end = sequences * whole.limit() / 2;
        for (int k = 0; k < rest.limit(); k++) {
            float expected = whole.get(end - rest.limit() + k);
            if (Float.floatToRawIntBits(expected) != Float.floatToRawIntBits(rest.get(k))) {
                return false;
            }
        }
        return true;
    }
}
