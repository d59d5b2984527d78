package io.github.cellfuse.cl;

import java.io.File;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Looks for devices on an interrupted thread, with a class loader whose resources such a thread can't read. */
final class InterruptedProbeMain {
    private InterruptedProbeMain() {}

    /** Reads by a channel, as the module system does in folders, and as containers do in jars within jars. */
    private static final class ChannelLoader extends URLClassLoader {
        ChannelLoader(URL[] classPath) {
            super(classPath, ClassLoader.getPlatformClassLoader());
        }

        @Override
        public InputStream getResourceAsStream(String name) {
            InputStream in = super.getResourceAsStream(name);
            return in == null
                    ? null
                    : new FilterInputStream(in) {
                        @Override
                        public int read(byte[] bytes, int offset, int length) throws IOException {
                            if (Thread.currentThread().isInterrupted()) {
                                throw new ClosedByInterruptException();
                            }
                            return super.read(bytes, offset, length);
                        }
                    };
        }
    }

    public static void main(String[] args) throws Exception {
        List<URL> classPath = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            classPath.add(Path.of(entry).toUri().toURL());
        }
        try (URLClassLoader loader = new ChannelLoader(classPath.toArray(URL[]::new))) {
            Class<?> openCl = loader.loadClass(OpenCl.class.getName());
            Thread.currentThread().interrupt();
            List<?> devices = (List<?>) openCl.getMethod("devices").invoke(null);
            System.out.println("devices " + devices.size() + ", interrupted " + Thread.interrupted());
        }
    }
}
