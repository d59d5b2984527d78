import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmInput;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.LstmSession;
import io.github.cellfuse.format.ModelFiles;
import io.github.cellfuse.format.npy.NpyArray;
import java.nio.FloatBuffer;
import java.nio.file.Path;

/** Runs a model over a batch of sequences, by the lines of the README: {@code bin/example Hello}. */
public final class Hello {
    public static void main(String... args) {
        int rows = 240, steps = 36;
        float[] x = read("examples/sunspots/input.npy"); // [rows, steps, 2]

        LstmModel model = ModelFiles.read(Path.of("examples/sunspots/model.safetensors"));
        try (LstmEngine engine = LstmEngine.open(model);
                LstmSession session = engine.newSession()) {
            LstmInput batch = LstmInput.batchMajor(x, rows, steps); // x: float[rows * steps * model.inputSize()]
            LstmOutput result = session.run(batch);
            FloatBuffer y = result.y(); // [rows, steps, model.outputSize()]
            float[] c = result.finalState().c(); // [layers * directions, rows, hidden]

            System.out.println(engine.explain(rows, steps));
            System.out.println("y: " + y.limit() + " values, c: " + c.length + " values");
            float[] expected = read("examples/sunspots/expected_y.npy");
            System.out.println("within 1e-5 of PyTorch: " + (distance(y, expected) < 1e-5));
        }
    }

    private static float[] read(String file) {
        try (NpyArray array = NpyArray.open(Path.of(file))) {
            return array.readAll();
        }
    }

    private static double distance(FloatBuffer y, float[] expected) {
        double largest = 0;
        for (int k = 0; k < expected.length; k++) {
            largest = Math.max(largest, Math.abs((double) y.get(k) - expected[k]));
        }
        return largest;
    }
}
