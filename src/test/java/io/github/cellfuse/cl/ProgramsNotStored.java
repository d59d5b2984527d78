package io.github.cellfuse.cl;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests with many programs that no other test uses. Their programs are compiled without being stored in the
 * {@link ProgramCache}: PoCL compiles a kernel when it is launched, but to store a program it first compiles all of its
 * kernels.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(ProgramsNotStored.Switch.class)
public @interface ProgramsNotStored {
    /** Turns the cache off for the duration of a test. */
    final class Switch implements BeforeEachCallback, AfterEachCallback {
        private static final String PROPERTY = "cellfuse.cache";

        @Override
        public void beforeEach(ExtensionContext test) {
            System.setProperty(PROPERTY, "off");
        }

        @Override
        public void afterEach(ExtensionContext test) {
            System.clearProperty(PROPERTY);
        }
    }
}
