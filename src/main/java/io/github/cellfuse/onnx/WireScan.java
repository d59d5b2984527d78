package io.github.cellfuse.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.onnx.Onnx.ModelProto;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Walks over a model's bytes without building anything, and refuses one that would not fit Java's heap: an empty node takes two bytes
 * in the file and a hundred in memory, so that a small file may ask for gigabytes.
 */
final class WireScan {
    /** Bytes of a field in memory, with the object that holds it, generously. */
    private static final long FIELD = 160;

    /** Messages within messages; the parser has the same limit. */
    private static final int DEEPEST = 100;

    private final CodedInputStream input;
    private long fields;
    private long values;

    private WireScan(CodedInputStream input) {
        this.input = input;
    }

    /** The bytes of tensors stay in {@code bytes} and aren't counted. */
    static void check(Path path, ByteString bytes) throws IOException {
        check(path, bytes, Runtime.getRuntime().maxMemory() / 2);
    }

    /** With another limit in bytes of heap. */
    static void check(Path path, ByteString bytes, long limit) throws IOException {
        WireScan scan = new WireScan(bytes.newCodedInput());
        scan.message(ModelProto.getDescriptor(), 1);
        long needed = scan.fields * FIELD + scan.values * Long.BYTES;
        if (needed > limit) {
            throw Problems.invalid(
                    path,
                    "expected a graph for which half of Java's heap is enough, " + limit / 1_000_000 + " MB, found "
                            + scan.fields + " fields and " + scan.values + " packed numbers that take about "
                            + needed / 1_000_000 + " MB: a larger -Xmx helps, unless the file is damaged");
        }
    }

    private void message(Descriptor type, int depth) throws IOException {
        if (depth > DEEPEST) {
            throw new InvalidProtocolBufferException("messages lie deeper than " + DEEPEST + " within each other");
        }
        while (!input.isAtEnd()) {
            int tag = input.readTag();
            fields++;
            FieldDescriptor field = type.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
            switch (WireFormat.getTagWireType(tag)) {
                case WireFormat.WIRETYPE_LENGTH_DELIMITED -> delimited(field, input.readRawVarint32(), depth);
                case WireFormat.WIRETYPE_VARINT, WireFormat.WIRETYPE_FIXED32, WireFormat.WIRETYPE_FIXED64 ->
                    input.skipField(tag);
                default -> throw new InvalidProtocolBufferException("a field has a type that ONNX doesn't use");
            }
        }
    }

    private void delimited(FieldDescriptor field, int length, int depth) throws IOException {
        if (field != null && field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            int outer = input.pushLimit(length);
            message(field.getMessageType(), depth + 1);
            input.popLimit(outer);
        } else {
            if (field != null && field.isPackable()) {
                // Numbers of a fixed size take their bytes, the others one byte or more in the file and 4 or 8 in
                // memory.
                boolean isFixed =
                        field.getType() == FieldDescriptor.Type.FLOAT || field.getType() == FieldDescriptor.Type.DOUBLE;
                values += isFixed ? length / Long.BYTES + 1 : length;
            }
            input.skipRawBytes(length);
        }
    }
}
