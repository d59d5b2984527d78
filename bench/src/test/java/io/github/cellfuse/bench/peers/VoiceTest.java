package io.github.cellfuse.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.bench.Shape;
import io.github.cellfuse.format.file.ElementType;
import io.github.cellfuse.onnx.OnnxFile;
import io.github.cellfuse.onnx.graph.GraphOptions;
import io.github.cellfuse.onnx.graph.OnnxModel;
import io.github.cellfuse.onnx.graph.OnnxSession;
import io.github.cellfuse.onnx.graph.Tensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The model; that ONNX Runtime and CellFuse agree on it is seen in {@link MatchTest}. */
class VoiceTest {
    /** Ten times the difference that ends a comparison. */
    private static final float VISIBLE = 1e-4f;

    @Test
    void sizesAreStreamsAndFrames() {
        assertEquals(new Shape(1000, 64, 576, 128), Voice.shape("64,1000"));
        for (String wrong : new String[] {"64", "64,", "1,2,3", "a,b", "1000000,1"}) {
            InvalidInputException e = assertThrows(InvalidInputException.class, () -> Voice.shape(wrong));
            assertTrue(e.getMessage().startsWith("--voice: expected N,T"), e.getMessage());
        }
        assertThrows(InvalidInputException.class, () -> Voice.shape("0,5"));
    }

    /** A comparison can fail only if results show the sound and the state in which a frame is computed. */
    @Test
    void resultsDependOnTheSoundAndOnTheState() {
        OnnxModel model = OnnxModel.of(OnnxFile.of(Path.of("voice.onnx"), Voice.model()), GraphOptions.DEFAULT);
        ContestProblem problem = ContestProblem.random(Voice.shape("4,1"));
        Tensor frame = new Tensor(ElementType.FLOAT32, problem.bytes(), 4, Voice.SAMPLES);
        Tensor zeros = Tensor.zeros(ElementType.FLOAT32, 2, 4, Voice.UNITS);
        try (OnnxSession session = model.session(Device.JAVA, EngineOptions.DEFAULT)) {
            assertEquals(1, model.lstms().size());
            Map<String, Tensor> first = session.run(Map.of(Voice.INPUT, frame, Voice.STATE, zeros));
            FloatBuffer results = first.get(Voice.OUTPUT).floats();
            Tensor state = first.get(Voice.NEXT_STATE);
            FloatBuffer later = session.run(Map.of(Voice.INPUT, frame, Voice.STATE, state))
                    .get(Voice.OUTPUT)
                    .floats();
            assertEquals(4, results.limit());
            for (int row = 0; row < 4; row++) {
                assertTrue(results.get(row) > 0.1 && results.get(row) < 0.9, "a flat sigmoid");
                assertTrue(Math.abs(later.get(row) - results.get(row)) > VISIBLE, "the state doesn't matter");
                assertTrue(
                        row == 0 || Math.abs(results.get(row) - results.get(0)) > VISIBLE, "the sound doesn't matter");
            }
        }
    }
}
