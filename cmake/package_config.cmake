# What the wheel carries for people who build against us: headers, and a package that find_package(mlwright CONFIG) finds.
include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/mlwrightConfig.cmake.in mlwrightConfig.cmake INSTALL_DESTINATION cmake)
write_basic_package_version_file(mlwrightConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/mlwrightConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/mlwrightConfigVersion.cmake"
  DESTINATION cmake)
install(DIRECTORY cpp/include/mlwright DESTINATION include FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
