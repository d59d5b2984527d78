package io.github.cellfuse.format.torch;

import io.github.cellfuse.format.file.ElementType;
import java.util.Optional;

/** The format's dtypes under their own names, with their sizes in bits: some small floats share a byte. */
public enum SafetensorsType {
    BOOL(8),
    F4(4),
    F6_E2M3(6),
    F6_E3M2(6),
    U8(8),
    I8(8),
    F8_E5M2(8),
    F8_E4M3(8),
    F8_E8M0(8),
    I16(16),
    U16(16),
    F16(16, ElementType.FLOAT16),
    BF16(16, ElementType.BFLOAT16),
    I32(32),
    U32(32),
    F32(32, ElementType.FLOAT32),
    C64(64),
    F64(64, ElementType.FLOAT64),
    I64(64),
    U64(64);

    private final int bits;
    private final ElementType floatType;

    SafetensorsType(int bits) {
        this(bits, null);
    }

    SafetensorsType(int bits, ElementType floatType) {
        this.bits = bits;
        this.floatType = floatType;
    }

    int bits() {
        return bits;
    }

    /** Returns the type by which weights are converted to float32, if weights may have this dtype. */
    public Optional<ElementType> floatType() {
        return Optional.ofNullable(floatType);
    }

    static Optional<SafetensorsType> named(String name) {
        for (SafetensorsType type : values()) {
            if (type.name().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
