package io.github.cellfuse.onnx;

import static io.github.cellfuse.onnx.Cases.assertRefused;
import static io.github.cellfuse.onnx.Graphs.attribute;
import static io.github.cellfuse.onnx.Graphs.graph;
import static io.github.cellfuse.onnx.Graphs.node;
import static io.github.cellfuse.onnx.Graphs.tensor;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.ByteString;
import io.github.cellfuse.onnx.Onnx.GraphProto;
import io.github.cellfuse.onnx.Onnx.StringStringEntryProto;
import io.github.cellfuse.onnx.Onnx.TensorProto;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataLocation;
import io.github.cellfuse.onnx.Onnx.TensorProto.DataType;
import io.github.cellfuse.spi.HalfPrecision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxTensorsTest {
    private static final float[] VALUES = {0f, -0f, 1f, -2.5f, 65504f, Float.POSITIVE_INFINITY, Float.NaN, 0x1p-24f};

    @TempDir
    Path folder;

    private Path model;
    private OnnxTensors tensors;

    @BeforeEach
    void inAFolder() throws IOException {
        model = Files.createDirectory(folder.resolve("models")).resolve("m.onnx");
        tensors = new OnnxTensors(model);
    }

    @Test
    void floatsOfEveryType() {
        ByteBuffer f32 = bytes(4), f64 = bytes(8), f16 = bytes(2), bf16 = bytes(2);
        TensorProto.Builder typed32 = tensor("t", DataType.FLOAT_VALUE, 2, 4);
        TensorProto.Builder typed64 = tensor("t", DataType.DOUBLE_VALUE, 2, 4);
        TensorProto.Builder typed16 = tensor("t", DataType.FLOAT16_VALUE, 2, 4);
        TensorProto.Builder typedBf16 = tensor("t", DataType.BFLOAT16_VALUE, 2, 4);
        for (float value : VALUES) {
            f32.putFloat(value);
            f64.putDouble(value);
            f16.putShort(HalfPrecision.floatToFloat16(value));
            bf16.putShort(HalfPrecision.floatToBfloat16(value));
            typed32.addFloatData(value);
            typed64.addDoubleData(value);
            typed16.addInt32Data(HalfPrecision.floatToFloat16(value) & 0xFFFF);
            typedBf16.addInt32Data(HalfPrecision.floatToBfloat16(value) & 0xFFFF);
        }
        float[] rounded = VALUES.clone();
        for (int k = 0; k < rounded.length; k++) {
            rounded[k] = HalfPrecision.bfloat16ToFloat(HalfPrecision.floatToBfloat16(VALUES[k]));
        }
        same(VALUES, raw(DataType.FLOAT_VALUE, f32), typed32);
        same(VALUES, raw(DataType.DOUBLE_VALUE, f64), typed64);
        same(VALUES, raw(DataType.FLOAT16_VALUE, f16), typed16);
        same(rounded, raw(DataType.BFLOAT16_VALUE, bf16), typedBf16);
        assertArrayEquals(new long[] {2, 4}, tensors.shape(typed32.build()));
    }

    private static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(VALUES.length * size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static TensorProto.Builder raw(int type, ByteBuffer bytes) {
        return tensor("t", type, 2, 4).setRawData(ByteString.copyFrom(bytes.flip()));
    }

    private void same(float[] expected, TensorProto.Builder... found) {
        for (TensorProto.Builder tensor : found) {
            float[] values = tensors.floats(tensor.build());
            for (int k = 0; k < expected.length; k++) {
                assertEquals(Float.floatToIntBits(expected[k]), Float.floatToIntBits(values[k]), "at " + k);
            }
        }
    }

    @Test
    void doublesAreRoundedToTheNearest() {
        TensorProto tensor = tensor("t", DataType.DOUBLE_VALUE, 3)
                .addDoubleData(0.1)
                .addDoubleData(1e300)
                .addDoubleData(1 + 0x1p-24)
                .build();
        assertArrayEquals(new float[] {0.1f, Float.POSITIVE_INFINITY, 1f}, tensors.floats(tensor));
    }

    @Test
    void integersOfEveryType() {
        assertArrayEquals(
                new long[] {-1, Long.MAX_VALUE},
                tensors.longs(tensor("t", DataType.INT64_VALUE, 2)
                        .addInt64Data(-1)
                        .addInt64Data(Long.MAX_VALUE)
                        .build()));
        int[] types = {DataType.INT8_VALUE, DataType.INT16_VALUE, DataType.INT32_VALUE};
        for (int type : types) {
            assertArrayEquals(
                    new long[] {-1, 5},
                    tensors.longs(tensor("t", type, 2)
                            .addInt32Data(-1)
                            .addInt32Data(5)
                            .build()));
        }
        assertArrayEquals(
                new long[] {255},
                tensors.longs(
                        tensor("t", DataType.UINT8_VALUE, 1).addInt32Data(255).build()));
        assertArrayEquals(
                new long[] {65535},
                tensors.longs(tensor("t", DataType.UINT16_VALUE, 1)
                        .addInt32Data(65535)
                        .build()));
        assertArrayEquals(
                new long[] {4294967295L},
                tensors.longs(tensor("t", DataType.UINT32_VALUE, 1)
                        .addUint64Data(4294967295L)
                        .build()));
        assertArrayEquals(
                new long[] {1, 0},
                tensors.longs(tensor("t", DataType.BOOL_VALUE, 2)
                        .setRawData(ByteString.copyFrom(new byte[] {7, 0}))
                        .build()));
        assertArrayEquals(
                new long[] {3},
                tensors.longs(
                        tensor("scalar", DataType.INT64_VALUE).addInt64Data(3).build()));
        assertArrayEquals(
                new long[0],
                tensors.longs(tensor("none", DataType.INT64_VALUE, 0, 3).build()));
    }

    @Test
    void refusesTensorsThatContradictThemselves() {
        refused(tensor("t", DataType.FLOAT_VALUE, 2).addFloatData(1), "tensor 't'", "expected 2 values", "found 1");
        refused(
                tensor("t", DataType.FLOAT_VALUE, 2).addDoubleData(1).addDoubleData(1),
                "found 0",
                "values of another type");
        refused(
                tensor("t", DataType.FLOAT_VALUE, 1).addFloatData(1).setRawData(ByteString.copyFrom(new byte[4])),
                "raw_data and in a typed field");
        refused(
                tensor("t", DataType.FLOAT_VALUE, 2).setRawData(ByteString.copyFrom(new byte[7])),
                "expected 8 bytes",
                "found 7");
        refused(tensor("t", DataType.FLOAT_VALUE, 0).addFloatData(1), "found 0 and 1 values");
        refused(tensor("t", DataType.FLOAT_VALUE, -1), "at least 0, found -1");
        refused(tensor("t", DataType.FLOAT_VALUE, 1L << 40, 1L << 40), "overflows");
        refused(tensor("t", DataType.FLOAT_VALUE, 1L << 31), "at most 2147483639 bytes", "found 8589934592 for shape");
        refused(tensor("t", DataType.FLOAT16_VALUE, 1).addInt32Data(65536), "FLOAT16", "out of range");
        refused(tensor("t", DataType.STRING_VALUE, 1).addStringData(ByteString.EMPTY), "STRING");
        refused(tensor("t", 99, 1), "data type 99");
        refused(tensor("", DataType.INT64_VALUE, 1).addInt64Data(1), "without a name", "found INT64");
        assertRefused(
                () -> tensors.longs(
                        tensor("t", DataType.FLOAT_VALUE, 1).addFloatData(1).build()),
                "expected integers, found FLOAT");
    }

    private void refused(TensorProto.Builder tensor, Object... parts) {
        assertRefused(() -> tensors.floats(tensor.build()), parts);
        assertRefused(() -> tensors.floats(tensor.build()), model);
    }

    private static TensorProto.Builder external(String location, String... offsetAndLength) {
        TensorProto.Builder tensor = tensor("t", DataType.FLOAT_VALUE, 3)
                .setDataLocation(DataLocation.EXTERNAL)
                .addExternalData(entry("location", location));
        for (int k = 0; k < offsetAndLength.length; k++) {
            tensor.addExternalData(entry(k == 0 ? "offset" : "length", offsetAndLength[k]));
        }
        return tensor;
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    @Test
    void readsExternalData() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putFloat(9).putFloat(1).putFloat(2).putFloat(3).putFloat(8);
        Files.write(model.resolveSibling("weights.bin"), bytes.array());
        Files.createDirectory(model.resolveSibling("sub"));
        Files.write(model.resolveSibling("sub").resolve("three"), new byte[12]);
        assertArrayEquals(
                new float[] {1, 2, 3},
                tensors.floats(external("weights.bin", "4", "12").build()));
        assertArrayEquals(
                new float[] {2, 3, 8},
                tensors.floats(external("weights.bin", "8").build()));
        assertArrayEquals(new float[3], tensors.floats(external("sub/three").build()));
        assertArrayEquals(new float[3], tensors.floats(external("./sub/three").build()));
        TensorProto inside = tensors.inMemory(external("weights.bin", "4", "12").build());
        assertEquals(DataLocation.DEFAULT, inside.getDataLocation());
        assertEquals(0, inside.getExternalDataCount());
        assertArrayEquals(new float[] {1, 2, 3}, tensors.floats(inside));
        assertSame(inside, tensors.inMemory(inside));
    }

    @Test
    void wholeGraphsAreBroughtIntoMemory() throws IOException {
        Files.write(model.resolveSibling("w"), new byte[12]);
        TensorProto outside = external("w").build();
        GraphProto graph = graph(List.of("x"), List.of("y"))
                .addInitializer(outside)
                .addNode(node("Constant", List.of(), "c").addAttribute(attribute("value", outside)))
                .addNode(node("If", List.of("x"), "y")
                        .addAttribute(attribute(
                                "then_branch", graph(List.of(), List.of()).addInitializer(outside))))
                .build();
        GraphProto inside = tensors.inMemory(graph);
        TensorProto expected = tensors.inMemory(outside);
        assertEquals(expected, inside.getInitializer(0));
        assertEquals(expected, inside.getNode(0).getAttribute(0).getT());
        assertEquals(expected, inside.getNode(1).getAttribute(0).getG().getInitializer(0));
        assertEquals(graph.getNode(1).getInputList(), inside.getNode(1).getInputList());
    }

    @Test
    void refusesExternalDataOutsideTheFolder() throws IOException {
        Files.createFile(model);
        Path secret = Files.write(folder.resolve("secret"), new byte[12]);
        Files.createSymbolicLink(model.resolveSibling("link"), secret);
        Files.createSymbolicLink(model.resolveSibling("up"), folder);
        Files.createSymbolicLink(model.resolveSibling("inner"), Path.of("own"));
        Files.write(model.resolveSibling("own"), new byte[12]);
        for (String location : List.of(
                "../secret",
                "x/../../secret",
                secret.toString(),
                "link",
                "up/secret",
                "..\\secret",
                "C:\\secret",
                "/",
                "\\x")) {
            refused(external(location), "tensor 't'", "which is outside");
        }
        assertArrayEquals(new float[3], tensors.floats(external("inner").build()));
    }

    /** The layout of a Hugging Face Hub cache: models and their data are links into a folder of blobs. */
    @Test
    void externalDataMayBeBesideTheTargetOfTheModel() throws IOException {
        Path blobs = Files.createDirectories(folder.resolve("blobs/below")).getParent();
        Files.createSymbolicLink(model, Files.createFile(blobs.resolve("1111")));
        Files.write(blobs.resolve("2222"), new byte[12]);
        Files.write(blobs.resolve("below/3333"), new byte[12]);
        Files.write(folder.resolve("secret"), new byte[12]);
        Files.createSymbolicLink(model.resolveSibling("m.onnx.data"), Path.of("../blobs/2222"));
        Files.createSymbolicLink(model.resolveSibling("deeper"), Path.of("../blobs/below/3333"));
        Files.createSymbolicLink(model.resolveSibling("link"), Path.of("../secret"));
        assertArrayEquals(new float[3], tensors.floats(external("m.onnx.data").build()));
        for (String location : List.of("deeper", "link", "../blobs/2222")) {
            refused(external(location), "tensor 't'", "which is outside");
        }
    }

    @Test
    void refusesExternalDataThatDoesNotFit() throws IOException {
        Files.write(model.resolveSibling("w"), new byte[13]);
        refused(external("w"), "expected 12 bytes for the shape", "found 13");
        refused(external("w", "2"), "expected 12 bytes from offset 2", "a file of 13 bytes");
        refused(external("w", "1", "11"), "length: expected 12 bytes", "found 11");
        refused(external("w", "14"), "a file of 13");
        refused(external("w", Long.toString(Long.MAX_VALUE), "12"), "a file of 13");
        refused(external("w", "-1"), "offset", "'-1'");
        refused(external("w", "0", "twelve"), "length", "'twelve'");
        refused(external("gone"), "no such file in the model's folder: 'gone'");
        refused(external(""), "expected a location");
        refused(external("."), "expected a regular file, found '.'");
        refused(external("a\0b"), "location", "expected a file's name");
        refused(external("w").addFloatData(1), "only in the external file", "in the model as well");
    }
}
