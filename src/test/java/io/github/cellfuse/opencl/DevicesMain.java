package io.github.cellfuse.opencl;

import io.github.cellfuse.Device;

/** Prints the warning of each device that has one. */
final class DevicesMain {
    private DevicesMain() {}

    public static void main(String[] args) {
        Device.all().stream()
                .filter(info -> info.properties().containsKey("warning"))
                .forEach(info -> System.out.println(
                        info.device() + ": " + info.properties().get("warning")));
    }
}
