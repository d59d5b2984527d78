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
 * Scans a model's bytes without parsing them into objects, and rejects a model that wouldn't fit in Java's heap. An
 * empty node takes two bytes in the file and a hundred in memory, so a small file could demand gigabytes.
 */
final class WireScan {
    /** A generous estimate of the bytes of a field in memory, including the object that holds it. */
    private static final long FIELD = 160;

    /** The limit for nested messages; the parser has the same. */
    private static final int DEEPEST = 100;

    private final CodedInputStream input;
    private long fields;
    private long values;

    private WireScan(CodedInputStream input) {
        this.input = input;
    }

    /**
     * Checks a model against half of Java's heap. The bytes of tensors aren't counted, because they stay in
     * {@code bytes}.
     */
    static void check(Path path, ByteString bytes) throws IOException {
        check(path, bytes, Runtime.getRuntime().maxMemory() / 2);
    }

    /** Checks a model against another limit in bytes of heap. */
    static void check(Path path, ByteString bytes, long limit) throws IOException {
        WireScan scan = new WireScan(bytes.newCodedInput());
        scan.message(ModelProto.getDescriptor(), 1);
        long needed = scan.fields * FIELD + scan.values * Long.BYTES;
        if (needed > limit) {
            throw Problems.invalid(
                    path,
                    "expected a graph of at most " + limit / 1_000_000 + " MB, half of Java's heap, found "
                            + scan.fields + " fields and " + scan.values + " packed numbers that take about "
                            + needed / 1_000_000 + " MB; unless the file is damaged, start Java with a larger -Xmx");
        }
    }

    private void message(Descriptor type, int depth) throws IOException {
        if (depth > DEEPEST) {
            throw new InvalidProtocolBufferException("messages are nested deeper than " + DEEPEST + " levels");
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
                // Numbers of a fixed size take as many bytes in memory as in the file. The others take one byte or
                // more in the file and 4 or 8 in memory.
                boolean isFixed =
                        field.getType() == FieldDescriptor.Type.FLOAT || field.getType() == FieldDescriptor.Type.DOUBLE;
                values += isFixed ? length / Long.BYTES + 1 : length;
            }
            input.skipRawBytes(length);
        }
    }
}
