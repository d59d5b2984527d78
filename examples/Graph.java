import io.github.cellfuse.format.npy.NpyArray;
import io.github.cellfuse.format.npy.NpzArchive;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Runs a whole ONNX graph: its LSTMs on the device, everything around them in ONNX Runtime. The graph is a tagger that
 * PyTorch exported. {@code bin/example Graph}, from the root of the project.
 */
public final class Graph {
    private static final Path FOLDER = Path.of("src/test/resources/onnx");

    public static void main(String... args) {
        OnnxModel model = OnnxModel.open(FOLDER.resolve("tagger.onnx"));
        System.out.println(model.parts().size() + " parts, of which " + model.lstms().size() + " on a device");

        try (NpzArchive data = NpzArchive.open(FOLDER.resolve("tagger.npz"));
                NpyArray tokens = data.array("tokens");
                NpyArray expected = data.array("scores");
                OnnxSession session = model.session()) {
            int[] values = tokens.readInts(0, (int) tokens.elementCount());
            Tensor input = Tensor.of(IntStream.of(values).asLongStream().toArray(), tokens.shape());
            Map<String, Tensor> results = session.run(Map.of("tokens", input));
            session.explain().forEach(System.out::println); // what ran where, and by which plan

            Tensor scores = results.get("scores");
            System.out.println("scores: " + Arrays.toString(scores.shape()));
            System.out.println("within 1e-5 of PyTorch: " + (distance(scores.floats(), expected.readAll()) < 1e-5));
        }
    }

    private static double distance(FloatBuffer values, float[] expected) {
        double largest = 0;
        for (int k = 0; k < expected.length; k++) {
            largest = Math.max(largest, Math.abs((double) values.get(k) - expected[k]));
        }
        return largest;
    }
}
