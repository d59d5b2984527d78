package io.github.cellfuse.spi;

import io.github.cellfuse.Device;

/**
 * Tells the JDK's Flight Recorder what a session does on its device, launch by launch and copy by copy, if a recording
 * has asked for it. Thread safe.
 */
public final class LaunchRecord {
    private LaunchRecord() {}

    /**
     * Records a launch that has ended.
     *
     * @param started nanoseconds after the first launch of the run, by the device's clock
     * @param running how many nanoseconds it ran
     */
    public static void kernel(Device device, String kernel, long started, long running) {
        if (FlightRecords.ofLaunches()) {
            KernelEvent.record(device.toString(), kernel, started, running);
        }
    }

    /**
     * Copies a tensor and records how long that took.
     *
     * @param tensor {@code x} on its way to the device, or {@code y} on the way back
     */
    public static void transfer(Device device, String tensor, long bytes, Runnable copy) {
        if (!FlightRecords.ofLaunches()) {
            copy.run();
            return;
        }
        TransferEvent event = TransferEvent.begun();
        copy.run();
        event.end(device.toString(), tensor, bytes);
    }
}
