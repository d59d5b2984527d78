package io.github.cellfuse.bench.peers;

import com.google.protobuf.ByteString;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Random;
import java.util.zip.GZIPInputStream;

/**
 * A tagger as PyTorch exports it, with random weights: tokens {@code [N,T]}, an embedding of {@value #FEATURES}
 * features, two bidirectional LSTM layers of {@value #UNITS} units, a linear layer, scores {@code [N,T,17]}. The graph
 * is in a file ({@code make_tagger.py}) with zeros for weights. Each process fills in the same random weights.
 */
final class Tagger {
    static final int WORDS = 10_000, FEATURES = 128, UNITS = 256, TAGS = 17;
    static final String INPUT = "tokens", OUTPUT = "scores";

    private Tagger() {}

    /** Returns the model's file, as bytes. */
    static byte[] model() {
        try (InputStream packed = Tagger.class.getResourceAsStream("/tagger.onnx.gz")) {
            if (packed == null) {
                throw new CellFuseException("tagger.onnx.gz is not on the class path: the build is incomplete");
            }
            ModelProto zeros = ModelProto.parseFrom(new GZIPInputStream(packed));
            GraphProto.Builder graph = zeros.getGraph().toBuilder();
            Random random = new Random(1);
            for (int k = 0; k < graph.getInitializerCount(); k++) {
                TensorProto tensor = graph.getInitializer(k);
                if (tensor.getDataType() == TensorProto.DataType.FLOAT_VALUE) {
                    graph.setInitializer(k, tensor.toBuilder().setRawData(randomLike(tensor, random)));
                }
            }
            return zeros.toBuilder().setGraph(graph).build().toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the spread of PyTorch's initialisation of an LSTM of as many units. */
    private static ByteString randomLike(TensorProto tensor, Random random) {
        ByteBuffer values = ByteBuffer.allocate(tensor.getRawData().size()).order(ByteOrder.LITTLE_ENDIAN);
        float scale = (float) (1 / Math.sqrt(UNITS));
        while (values.hasRemaining()) {
            values.putFloat((random.nextFloat() * 2 - 1) * scale);
        }
        return ByteString.copyFrom(values.flip());
    }

    /** Random tokens {@code [N,T]}, direct and in native order. */
    static LongBuffer tokens(int rows, int steps) {
        LongBuffer tokens = ByteBuffer.allocateDirect(Math.multiplyExact(rows * steps, Long.BYTES))
                .order(ByteOrder.nativeOrder())
                .asLongBuffer();
        Random random = new Random(2);
        for (int k = 0; k < tokens.limit(); k++) {
            tokens.put(k, random.nextInt(WORDS));
        }
        return tokens;
    }
}
